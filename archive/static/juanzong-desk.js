/* 借阅台: each scan is answered in its place. A gun may be faster than the answer: what it fires waits in line. */
(() => {
  "use strict";

  const { announce } = window.juanzong;
  const said = document.getElementById("desk-said");
  const form = document.querySelector("[data-desk=field]");
  if (!said || !form || !window.htmx) { return; }
  const field = form.elements.barcode;
  const shots = [];
  let busy = false;

  /* What was not answered is never lost silently: it stands in the field again, and a sentence says so. */
  function failed(shot) {
    const words = said.dataset.failed.replace("{code}", shot.values.barcode || "");
    const echo = document.createElement("section");
    echo.className = "jz-echo is-bad";
    echo.setAttribute("role", "alert");
    const strong = document.createElement("strong");
    strong.textContent = words;
    echo.append(strong);
    said.replaceChildren(echo);
    announce(words);
    shots.length = 0;
    field.value = shot.values.barcode || "";
    field.select();
  }

  function fire() {
    if (busy || !shots.length) { return; }
    const shot = shots.shift();
    let answered = false;
    busy = true;
    function heard(event) { if (event.detail.target === said && event.detail.successful) { answered = true; } }
    document.addEventListener("htmx:afterRequest", heard);
    function over() {
      document.removeEventListener("htmx:afterRequest", heard);
      busy = false;
      if (!answered) { failed(shot); }
      fire();
    }
    htmx.ajax("POST", shot.address, { source: said, target: said, swap: "innerHTML", values: shot.values }).then(over, over);
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-desk]")) { return; }
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target, event.submitter));
    delete values.csrf_token;
    shots.push({ address: event.target.getAttribute("action"), values });
    if (event.target === form) { form.reset(); }
    field.focus();
    fire();
  });
})();
