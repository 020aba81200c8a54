/* Forms [data-upload]: drop or choose files, one request a file, and what became of each.
   The server answers JSON {state: "ok"|"wait"|"bad", text, href}; a file counts as kept only after that answer. */
(() => {
  "use strict";

  const all = window.juanzong.all;

  /* Two at a time: a third only waits for the same disk. */
  // One at a time: the order of the pages is the order in which the files were dropped.
  const AT_ONCE = 1;

  function element(name, look, text) {
    const made = document.createElement(name);
    if (look) { made.className = look; }
    if (text) { made.textContent = text; }
    return made;
  }

  function line(file) {
    const item = element("li");
    const middle = element("span", "g");
    const name = element("span", "jz-ell", file.name);
    const bar = element("progress");
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    middle.append(name, bar);
    const state = element("span", "jz-state");
    item.append(middle, state);
    return { item: item, middle: middle, bar: bar, state: state };
  }

  function say(shown, kind, words) {
    shown.state.className = "jz-state" + (kind ? " is-" + kind : "");
    shown.state.textContent = words;
  }

  function settle(task, kind, words, href) {
    task.settled = kind;
    say(task.shown, kind, words);
    task.shown.bar.remove();
    if (href) {
      const link = element("a", "", task.file.name);
      link.href = href;
      task.shown.middle.firstChild.replaceChildren(link);
    }
  }

  function answer(request) {
    try { return JSON.parse(request.responseText); } catch (error) { return {}; }
  }

  function body(form, field, file) {
    const data = new FormData(form);
    data.delete(field.name);
    data.append(field.name, file, file.name);
    return data;
  }

  function offer_again(queue, task) {
    const again = element("button", "btn btn-sm btn-default", queue.form.dataset.again);
    again.type = "button";
    again.addEventListener("click", () => { again.remove(); queue.add([task.file], task.shown.item); });
    task.shown.item.append(again);
  }

  function send(queue, task, done) {
    const form = queue.form;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      task.shown.bar.value = event.loaded;
      if (event.loaded === event.total) { say(task.shown, "run", form.dataset.checking); }
    });
    request.addEventListener("load", () => {
      const said = answer(request);
      const good = request.status >= 200 && request.status < 300;
      settle(task, said.state || (good ? "ok" : "bad"), said.text || (good ? form.dataset.done : form.dataset.refused + " (" + request.status + ")"), said.href);
      if (!good) { offer_again(queue, task); }
      done();
    });
    request.addEventListener("error", () => {
      settle(task, "bad", form.dataset.failed);
      offer_again(queue, task);
      done();
    });
    say(task.shown, "run", form.dataset.sending);
    request.send(body(form, queue.field, task.file));
  }

  class Queue {
    constructor(form) {
      this.form = form;
      this.field = form.querySelector("input[type=file]");
      this.list = form.querySelector("[data-upload-list]");
      this.summary = form.querySelector("[data-upload-summary]");
      this.tasks = [];
      this.busy = 0;
    }

    add(files, instead) {
      for (const file of files) {
        const shown = line(file);
        say(shown, "", this.form.dataset.waiting);
        if (instead) { instead.replaceWith(shown.item); } else { this.list.append(shown.item); }
        this.tasks.push({ file, shown, started: false, settled: "" });
      }
      this.next();
    }

    next() {
      while (this.busy < AT_ONCE) {
        const task = this.tasks.find((one) => !one.started);
        if (!task) { return; }
        task.started = true;
        this.busy += 1;
        send(this, task, () => { this.busy -= 1; this.tell(); this.next(); });
      }
    }

    tell() {
      const shown = this.tasks.filter((task) => task.shown.item.isConnected);
      const kept = shown.filter((task) => task.settled && task.settled !== "bad").length;
      this.summary.textContent = this.form.dataset.finished.replace("{done}", kept).replace("{all}", shown.length);
      // Also where one was refused: whoever looks must find the others in the list of files.
      if (!this.busy && shown.every((task) => task.settled)) { this.form.dispatchEvent(new CustomEvent("juanzong:uploaded", { bubbles: true })); }
    }
  }

  function begin(form) {
    const queue = new Queue(form);
    if (!queue.field || form.dataset.ready) { return; }
    form.dataset.ready = "1";
    all("[data-upload-hint]", form).forEach((hint) => { hint.hidden = false; });
    all("[data-upload-button]", form).forEach((button) => { button.hidden = true; });
    queue.field.addEventListener("change", () => { queue.add(queue.field.files); queue.field.value = ""; });
    form.addEventListener("submit", (event) => { event.preventDefault(); });
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("is-over"); });
    form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) { form.classList.remove("is-over"); } });
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("is-over");
      queue.add(event.dataTransfer.files);
    });
    window.addEventListener("beforeunload", (event) => {
      if (queue.busy) { event.preventDefault(); event.returnValue = form.dataset.leave; }
    });
  }

  all("form[data-upload]").forEach(begin);
  document.addEventListener("htmx:load", (event) => { all("form[data-upload]", event.target.parentNode || document).forEach(begin); });
})();
