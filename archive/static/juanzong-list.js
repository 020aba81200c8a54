/* Lists [data-list]: keys j k x Enter, and a selection that survives turning the page. */
(() => {
  "use strict";

  const all = window.juanzong.all;

  /* The selection belongs to one list under one address without its cursor: other filters, other rows. */
  function drawer(list) {
    const address = new URL(location.href);
    address.searchParams.delete("cursor");
    return "selection:" + list.getAttribute("data-list") + ":" + address.pathname + address.search;
  }

  function read(list) {
    try { return new Set(JSON.parse(sessionStorage.getItem(drawer(list)) || "[]")); } catch (error) { return new Set(); }
  }

  function write(list, chosen) {
    try {
      if (chosen.size) { sessionStorage.setItem(drawer(list), JSON.stringify(Array.from(chosen))); } else { sessionStorage.removeItem(drawer(list)); }
    } catch (error) { /* A full or forbidden storage only shortens the selection to this page. */ }
  }

  function boxes(list) { return all("[data-row] input[name=ids]", list); }
  function rows(list) { return all("[data-row]", list); }

  /* Rows of another kind, as bundles among single requests: ticked on their page alone. */
  function beside(list) { return all("[data-row] input[data-beside]", list); }

  function show(list, chosen) {
    const here = boxes(list);
    let on = 0;
    here.forEach((box) => {
      box.checked = chosen.has(box.value);
      box.closest("[data-row]").classList.toggle("is-on", box.checked);
      if (box.checked) { on += 1; }
    });
    beside(list).forEach((box) => { box.closest("[data-row]").classList.toggle("is-on", box.checked); });
    const page = list.querySelector("[data-select-page]");
    if (page) {
      page.checked = on > 0 && on === here.length;
      page.indeterminate = on > 0 && on < here.length;
    }
    const bar = list.querySelector(".jz-selbar");
    if (bar) {
      const many = chosen.size + beside(list).filter((box) => box.checked).length;
      bar.classList.toggle("is-on", many > 0);
      const words = bar.querySelector("[data-selected]");
      words.textContent = words.getAttribute("data-words").replace("{count}", String(many));
    }
  }

  function unselect(list, chosen) {
    chosen.clear();
    all("input[name=all]", list).concat(beside(list)).forEach((box) => { box.checked = false; });
    write(list, chosen);
    show(list, chosen);
  }

  /* What was chosen on other pages goes along as hidden fields, and once sent it is forgotten. */
  function carry(list, form, chosen) {
    const here = new Set(boxes(list).map((box) => box.value));
    all("input[data-carried]", form).forEach((field) => { field.remove(); });
    chosen.forEach((id) => {
      if (here.has(id)) { return; }
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "ids";
      field.value = id;
      field.setAttribute("data-carried", "");
      form.appendChild(field);
    });
    write(list, new Set());
  }

  function selectable(list) {
    const chosen = read(list);
    boxes(list).forEach((box) => { if (box.checked) { chosen.add(box.value); } });
    let last = null;

    list.addEventListener("click", (event) => {
      if (event.target.closest("[data-unselect]")) { unselect(list, chosen); return; }
      const box = event.target;
      if (beside(list).includes(box)) { show(list, chosen); }
      if (box.name !== "ids") { return; }
      const here = boxes(list);
      const from = event.shiftKey && last ? here.indexOf(last) : here.indexOf(box);
      const to = here.indexOf(box);
      here.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => {
        if (box.checked) { chosen.add(one.value); } else { chosen.delete(one.value); }
      });
      last = box;
      write(list, chosen);
      show(list, chosen);
    });

    list.addEventListener("change", (event) => {
      if (!event.target.hasAttribute("data-select-page")) { return; }
      boxes(list).forEach((box) => { if (event.target.checked) { chosen.add(box.value); } else { chosen.delete(box.value); } });
      write(list, chosen);
      show(list, chosen);
    });

    list.addEventListener("submit", (event) => {
      if (event.target.querySelector(".jz-selbar")) { carry(list, event.target, chosen); }
    });

    list.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && list.querySelector(".jz-selbar.is-on")) { unselect(list, chosen); }
    });
    show(list, chosen);
  }

  /* The cursor is a row; the focus goes to its first link or box, so that a screen reader follows. */
  function step(list, by) {
    const lines = rows(list);
    const now = lines.findIndex((row) => row.classList.contains("is-cursor"));
    const next = lines[Math.max(0, Math.min(lines.length - 1, now < 0 ? 0 : now + by))];
    if (!next) { return; }
    if (now >= 0) { lines[now].classList.remove("is-cursor"); }
    next.classList.add("is-cursor");
    next.scrollIntoView({ block: "nearest" });
    const stop = next.querySelector("a[href], input");
    if (stop) { stop.focus({ preventScroll: true }); }
  }

  function cursor_row(list) { return list.querySelector("[data-row].is-cursor"); }

  function on_key(list, event) {
    const row = cursor_row(list);
    if (event.key === "j") { step(list, 1); return true; }
    if (event.key === "k") { step(list, -1); return true; }
    if (event.key === "x" && row) {
      const box = row.querySelector("input[name=ids], input[data-beside]");
      if (box) { box.click(); }
      return Boolean(box);
    }
    if (event.key === "Enter" && row && row.dataset.href && !event.target.closest("a, button, summary")) {
      location.assign(row.dataset.href);
      return true;
    }
    return false;
  }

  /* A page may show several lists: the keys belong to the one with the cursor, else to the first. */
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || window.juanzong.typing(event.target)) { return; }
    const lists = all("[data-list]");
    const list = event.target.closest("[data-list]") || lists.filter(cursor_row)[0] || lists[0];
    if (list && on_key(list, event)) { event.preventDefault(); }
  });

  function begin(within) {
    all("[data-list]", within).forEach((list) => {
      if (!list.dataset.ready && list.querySelector(".jz-selbar")) { list.dataset.ready = "1"; selectable(list); }
    });
  }

  begin(document);
  document.addEventListener("htmx:load", (event) => { begin(event.target.parentNode || document); });
})();
