/* 卷宗: a search field that offers fields, values and records while one types. Without it, one types it all. */
(() => {
  "use strict";

  const PAUSE = 150;
  const source = document.querySelector("[data-suggest]");
  if (!source) { return; }
  const general = source.getAttribute("data-suggest");
  const token = document.querySelector('meta[name="csrf-token"]');
  let boxes = 0;

  function offering(field) {
    const address = field.dataset.suggest || general;
    const place = document.createElement("div");
    place.className = "jz-offering";
    place.id = "offers-" + (boxes += 1);
    place.hidden = true;
    field.parentNode.classList.add("jz-offering-in");
    field.insertAdjacentElement("afterend", place);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", place.id);
    field.setAttribute("aria-expanded", "false");

    let waiting = 0;
    let asked = 0;
    let chosen = -1;

    function options() { return juanzong.all("[role=option]", place); }

    function close() {
      window.clearTimeout(waiting);
      asked += 1;
      chosen = -1;
      place.hidden = true;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }

    function show(html) {
      place.innerHTML = html;
      chosen = -1;
      options().forEach((one, at) => { one.id = place.id + "-" + at; });
      place.hidden = !options().length;
      field.setAttribute("aria-expanded", String(!place.hidden));
      field.removeAttribute("aria-activedescendant");
    }

    function ask() {
      const number = asked += 1;
      if (!field.value.trim()) { close(); return; }
      const headers = token ? { "X-CSRFToken": token.content } : {};
      fetch(address, { method: "POST", body: new URLSearchParams({ q: field.value }), headers })
        .then((answer) => answer.ok && !answer.redirected ? answer.text() : "")
        .then((html) => { if (number === asked && document.activeElement === field) { show(html); } }, () => undefined);
    }

    function soon() {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(ask, PAUSE);
    }

    function mark(at) {
      const found = options();
      if (!found.length) { return; }
      chosen = (at + found.length + 1) % (found.length + 1);
      found.forEach((one, n) => { one.setAttribute("aria-selected", String(n === chosen)); });
      if (chosen === found.length) { chosen = -1; field.removeAttribute("aria-activedescendant"); return; }
      field.setAttribute("aria-activedescendant", found[chosen].id);
      found[chosen].scrollIntoView({ block: "nearest" });
    }

    function take(option) {
      if (option.dataset.href) { location.assign(option.dataset.href); return; }
      field.value = option.dataset.insert;
      /* What belongs to it stands in another field, unless something stands there already. */
      const other = field.dataset.beside && field.form.elements[field.dataset.beside];
      if (other && !other.value) { other.value = option.dataset.beside; }
      close();
      field.focus();
      if ("goesOn" in option.dataset) { ask(); }
    }

    field.addEventListener("input", (event) => { if (!event.isComposing) { soon(); } });
    field.addEventListener("compositionend", soon);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || place.hidden) { return; }
      const open = options();
      const keys = {
        ArrowDown() { mark(chosen + 1); },
        ArrowUp() { mark(chosen < 0 ? open.length - 1 : chosen - 1); },
        Escape() { close(); },
        Enter() { if (chosen >= 0) { take(open[chosen]); } else { return false; } },
        Tab() { if (chosen >= 0) { take(open[chosen]); } else { close(); return false; } }
      };
      const act = keys[event.key];
      if (act && act() !== false) { event.preventDefault(); event.stopPropagation(); }
    });
    /* Before the field loses the focus. */
    place.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      event.preventDefault();
      if (option) { take(option); }
    });
  }

  juanzong.all("[data-suggest], #words").forEach(offering);
})();
