/* Forms [data-upload]: drop or choose files and folders, and what became of each. A small file is one request to the form's
   own address; a large one goes in pieces (data-pieces) and on from where it was cut off, also after a reload.
   The server answers JSON {state: "ok"|"wait"|"here"|"bad", text, href}; a file counts as kept only after that answer. */
(() => {
  "use strict";

  const { all } = window.juanzong;

  const LONGEST_WAIT = 30;
  /* What a gateway or a server that is being started again answers: the same may be taken in a moment. */
  const PASSING = [0, 502, 503, 504];
  const NATURAL = new Intl.Collator("zh", { numeric: true });
  const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;

  function element(name, look, text) {
    const made = document.createElement(name);
    if (look) { made.className = look; }
    if (text) { made.textContent = text; }
    return made;
  }

  function line(name, size) {
    const item = element("li");
    const middle = element("span", "g");
    const bar = element("progress");
    bar.max = size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    middle.append(element("span", "jz-ell", name), bar);
    const state = element("span", "jz-state");
    item.append(middle, state);
    return { item, middle, bar, state };
  }

  /* What was dropped: files, and all that lies in folders, each with its way. */
  function entries(reader) {
    return new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
  }

  /* What cannot be read is named too, without a file: the others come all the same. */
  function inside(entry) {
    return within(entry).catch(() => [{ name: way(entry) }]);
  }

  function way(entry) { return entry.fullPath.replace(/^\//, ""); }

  async function within(entry) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
      return [{ file, name: way(entry) }];
    }
    const found = [], reader = entry.createReader();
    for (let some = await entries(reader); some.length; some = await entries(reader)) {
      for (const each of some) { found.push(...await inside(each)); }
    }
    return found;
  }

  async function dropped(transfer) {
    // Entries must be asked for before the first pause: the transfer is empty after it.
    const tops = Array.from(transfer.items || [], (item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    if (!tops.some((entry) => entry.isDirectory)) { return plain(transfer.files); }
    const found = await Promise.all(tops.map(inside));
    return found.flat();
  }

  function plain(files) {
    return Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
  }

  /* One request; {status: 0} where no answer came. */
  function ask(address, fields, progress) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", address);
      request.setRequestHeader("Accept", "application/json");
      if (progress) { request.upload.addEventListener("progress", (event) => { progress(event.loaded, event.total); }); }
      request.addEventListener("load", () => {
        let said = {};
        try { said = JSON.parse(request.responseText); } catch (error) { said = {}; }
        resolve({ status: request.status, good: request.status >= 200 && request.status < 300, said });
      });
      request.addEventListener("error", () => { resolve({ status: 0, good: false, said: {} }); });
      request.send(fields);
    });
  }

  function pause(seconds) {
    return new Promise((resolve) => {
      const over = () => { window.removeEventListener("online", over); window.clearTimeout(timer); resolve(); };
      const timer = window.setTimeout(over, seconds * 1000);
      window.addEventListener("online", over);
    });
  }

  /* The worker that reads a file: {sha256}; {failed} where the file cannot be read, {missing} where the worker is not there. */
  function asked(worker, file, progress) {
    return new Promise((resolve) => {
      worker.onmessage = ({ data }) => { if (data.done === undefined) { resolve(data); } else { progress(data.done); } };
      // A script that does not come says nothing; one that stumbles says over what.
      worker.onerror = (event) => { resolve(event.message ? { failed: true } : { missing: true }); };
      worker.postMessage(file);
    });
  }

  /* By address, once it has come: it is there also when the network is not. */
  const workers = new Map();

  class Task {
    constructor(form, found) {
      this.form = form;
      this.words = form.dataset;
      this.file = found.file;
      this.name = found.name;
      this.shown = line(found.name, found.file ? found.file.size : 0);
      this.settled = "";
      this.arrived = this.lost = false; // all of it, at the server; the answer to that, on its way
      if (found.file) { this.say("", this.words.waiting); } else { this.settle("bad", this.words.closed); }
    }

    say(kind, words) {
      this.shown.state.className = "jz-state" + (kind ? " is-" + kind : "");
      this.shown.state.textContent = words;
    }

    settle(kind, words, href) {
      this.settled = kind;
      this.say(kind, words);
      this.shown.bar.remove();
      if (href) {
        const link = element("a", "", this.name);
        link.href = href;
        this.shown.middle.firstChild.replaceChildren(link);
      }
    }

    refused(answer) {
      this.settle("bad", answer.said.text || this.words.refused + " (" + answer.status + ")");
    }

    fields(more) {
      const data = new FormData(this.form);
      all("input[type=file]", this.form).forEach((input) => { data.delete(input.name); });
      for (const [name, value, filename] of more) {
        if (filename === undefined) { data.append(name, value); } else { data.append(name, value, filename); }
      }
      return data;
    }

    /* Asks until there is an answer: the network may be gone for an hour. */
    async patiently(address, more, progress) {
      for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
        this.say("run", this.words.sending);
        const answer = await ask(address, this.fields(more), progress);
        if (!PASSING.includes(answer.status)) { return answer; }
        this.lost = this.lost || this.arrived;
        await this.readable();
        this.say("wait", answer.status ? this.words.server : this.words.network);
        await pause(wait);
      }
    }

    /* Raises where the file was changed or taken away: it can never be sent. */
    async readable() { await this.file.slice(0, 1).arrayBuffer(); }

    /* The hash of the file. The script that works it out is waited for as everything else that comes over the network. */
    async hashed() {
      const address = this.words.hash;
      for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
        this.say("run", this.words.reading);
        const worker = workers.get(address) || new Worker(address);
        workers.delete(address); // two forms of a page may be reading at once
        const said = await asked(worker, this.file, (done) => { this.shown.bar.value = done; });
        if (!said.missing) { workers.set(address, worker); }
        if (said.failed) { throw new Error(this.words.unreadable); }
        if (said.sha256) { return said.sha256; }
        await this.readable();
        this.say("wait", this.words.network);
        await pause(wait);
      }
    }

    async send() {
      try {
        if (this.words.pieces && this.file.size > Number(this.words.piece)) { await this.inPieces(); } else { await this.whole(); }
      } catch (error) {
        this.settle("bad", this.words.unreadable);
      }
    }

    async whole() {
      const progress = (loaded, total) => {
        this.shown.bar.value = this.file.size * loaded / total;
        if (loaded === total) { this.arrived = true; this.say("run", this.words.checking); }
      };
      const field = this.form.querySelector("input[type=file]").name;
      const answer = await this.patiently(this.form.action, [[field, this.file, this.name]], progress);
      if (answer.said.state === "here") { this.known(answer); } else if (answer.good) { this.settle(answer.said.state || "ok", answer.said.text || this.words.done, answer.said.href); } else { this.refused(answer); }
    }

    async inPieces() {
      const sha256 = await this.hashed();
      const begin = [["kind", this.words.kind], ["target", this.words.target], ["name", this.name], ["size", this.file.size], ["sha256", sha256]];
      // The server may have given the upload up meanwhile: begun again, at most twice.
      for (let tries = 3; tries; tries -= 1) {
        const begun = await this.patiently(this.words.pieces, begin);
        if (begun.good && begun.said.state) { return this.known(begun); }
        const last = begun.good ? await this.goOn(begun.said) : begun;
        if (last.good) { return last.said.state === "here" ? this.known(last) : this.settle(last.said.state, last.said.text, last.said.href); }
        if (last.status !== 404 || tries === 1 || !begun.good) { return this.refused(last); }
      }
    }

    /* Here already: because an answer of ours was lost on its way, or from before. */
    known(answer) {
      if (this.lost) { this.settle("ok", this.words.done); } else { this.settle("here", answer.said.text); }
    }

    async goOn(begun) {
      const address = this.words.pieces + "/" + begun.uuid, length = Number(this.words.piece);
      let at = begun.received, astray = 0;
      for (;;) {
        this.shown.bar.value = at;
        let answer;
        if (at < this.file.size) {
          const from = at, piece = this.file.slice(at, at + length);
          answer = await this.patiently(address + "/piece", [["offset", at], ["piece", piece, "piece"]], (loaded, total) => {
            this.shown.bar.value = from + piece.size * loaded / total;
          });
        } else {
          this.arrived = true;
          this.say("run", this.words.checking);
          answer = await this.patiently(address + "/finish", []);
          if (answer.good) { return answer; }
        }
        if (answer.status === 409 && answer.said.received !== undefined && astray < 20) { astray += 1; } else if (!answer.good) { return answer; }
        at = answer.said.received;
      }
    }
  }

  class Queue {
    constructor(form) {
      this.form = form;
      this.list = form.querySelector("[data-upload-list]");
      this.summary = form.querySelector("[data-upload-summary]");
      this.accepted = (form.querySelector("input[type=file]").accept || "").split(",").filter(Boolean);
      this.tasks = [];
      this.busy = false;
    }

    fits(name) {
      return !this.accepted.length || this.accepted.some((ending) => name.toLowerCase().endsWith(ending));
    }

    add(found, instead) {
      const wanted = found.filter((one) => !LITTER.test(one.name.split("/").pop())).sort((a, b) => NATURAL.compare(a.name, b.name));
      for (const one of wanted) {
        const task = new Task(this.form, one);
        if (instead) { instead.replaceWith(task.shown.item); } else { this.list.append(task.shown.item); }
        // In a folder lies what nobody chose one by one; a file that somebody chose is judged by the server.
        if (!task.settled && one.name.includes("/") && !this.fits(one.name)) { task.settle("bad", this.form.dataset.unfit); }
        this.tasks.push(task);
      }
      this.run();
    }

    /* One at a time: the order of the pages is the order in which the files were dropped. */
    async run() {
      if (this.busy) { return; }
      this.busy = true;
      for (let task = this.next(); task; task = this.next()) {
        await task.send();
        if (task.settled === "bad") { this.offer(task); }
        this.tell();
      }
      this.busy = false;
      this.tell();
      this.end();
    }

    next() { return this.tasks.find((task) => !task.settled); }

    offer(task) {
      const again = element("button", "btn btn-sm btn-default", this.form.dataset.again);
      again.type = "button";
      again.addEventListener("click", () => { again.remove(); this.add([{ file: task.file, name: task.name }], task.shown.item); });
      task.shown.item.append(again);
    }

    /* The pages of all that was received are made: nothing says any longer that they are being made. */
    ready() { this.tasks.filter((task) => task.settled === "wait").forEach((task) => { task.settled = "ok"; task.say("ok", this.form.dataset.done); }); }

    tell() {
      const shown = this.tasks.filter((task) => task.shown.item.isConnected), words = this.form.dataset;
      const of = (...kinds) => shown.filter((task) => kinds.includes(task.settled)).length;
      const said = [words.finished.replace("{done}", of("ok", "wait")).replace("{all}", shown.length)];
      if (of("here")) { said.push(words.known.replace("{n}", of("here"))); }
      if (of("bad")) { said.push(words.bad.replace("{n}", of("bad"))); }
      this.summary.textContent = said.join(" · ");
    }

    end() {
      // What was refused comes first: among three hundred lines nobody looks for it.
      this.list.prepend(...this.tasks.filter((task) => task.settled === "bad" && task.shown.item.isConnected).map((task) => task.shown.item));
      // Also where one was refused: whoever looks must find the others in the list of files.
      this.form.dispatchEvent(new CustomEvent("juanzong:uploaded", { bubbles: true }));
    }
  }

  function begin(form) {
    const inputs = all("input[type=file]", form);
    if (!inputs.length || form.dataset.ready) { return; }
    const queue = new Queue(form);
    form.dataset.ready = "1";
    all("[data-upload-hint]", form).forEach((hint) => { hint.hidden = false; });
    all("[data-upload-button]", form).forEach((button) => { button.hidden = true; });
    inputs.forEach((input) => { input.addEventListener("change", () => { queue.add(plain(input.files)); input.value = ""; }); });
    form.addEventListener("submit", (event) => { event.preventDefault(); });
    document.addEventListener("htmx:load", (event) => { if (event.target.matches("[data-all-ready]")) { queue.ready(); } });
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("is-over"); });
    form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) { form.classList.remove("is-over"); } });
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("is-over");
      dropped(event.dataTransfer).then((found) => { queue.add(found); });
    });
    window.addEventListener("beforeunload", (event) => {
      if (queue.busy) { event.preventDefault(); event.returnValue = form.dataset.leave; }
    });
  }

  all("form[data-upload]").forEach(begin);
  document.addEventListener("htmx:load", (event) => { all("form[data-upload]", event.target.parentNode || document).forEach(begin); });
})();
