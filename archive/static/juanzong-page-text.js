/* 校对: the text beside the image in its field, and the page that waits for its text; juanzong-viewer.js turns the pages. */
(() => {
  "use strict";

  const main = document.querySelector("[data-viewer]");
  if (!main) { return; }

  /* What is typed is not lost by turning a page, nor by leaving, nor by sending it where no answer comes. */
  function field() { return main.querySelector("[data-typing] textarea"); }

  function unsaved() {
    const text = field();
    return text && (text.form.hasAttribute("data-unsaved") || text.value !== text.defaultValue);
  }

  function leaves() { return !unsaved() || window.confirm(field().form.dataset.leave); }

  window.addEventListener("beforeunload", (event) => { if (unsaved()) { event.preventDefault(); event.returnValue = ""; } });
  main.addEventListener("keydown", (event) => {
    if (event.target !== field() || event.isComposing) { return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.target.form.requestSubmit(); }
    if (event.key === "Escape") { event.preventDefault(); main.querySelector("[data-cancel]").click(); }
  });

  /* Says why it is not saved, and leaves it where it is. `status` is 0 where no answer came. */
  function unsent(form, status) {
    const place = form.querySelector("[data-unsent]"), words = place.dataset;
    place.textContent = status === 401 ? words.ended : status >= 400 && status < 500 ? words.refused.replace("{status}", status) : words.away;
    place.hidden = false;
    form.dispatchEvent(new CustomEvent("juanzong:unsent"));
    field().focus();
  }

  const stays = 1000;
  const between = 2000;

  function rest(time) { return new Promise((resolve) => { window.setTimeout(resolve, time); }); }

  /* A page that was opened in the background is looked at when it comes to the front. */
  function seen() {
    if (!document.hidden) { return Promise.resolve(); }
    return new Promise((resolve) => { document.addEventListener("visibilitychange", () => { resolve(seen()); }, { once: true }); });
  }

  /* A page without text: it is asked for once somebody stays on it, and shown as soon as it has been read. */
  async function wait(show) {
    const form = main.querySelector("[data-waiting]");
    if (!form) { return; }
    const json = { Accept: "application/json" };
    do { await seen(); await rest(stays); } while (document.hidden);
    if (!form.isConnected) { return; }
    form.classList.add("is-asked");
    await fetch(form.action, { method: "POST", body: new FormData(form), headers: json }).catch(() => null);
    for (;; await rest(between)) {
      await seen();
      if (!form.isConnected) { return; }
      const answer = await fetch(form.dataset.waiting, { headers: json }).catch(() => null);
      const said = answer && answer.ok ? await answer.json() : {};
      if (said.read && form.isConnected) { show(); return; }
      if (answer && answer.status < 500 && !answer.ok) { return; }
    }
  }

  window.juanzong.text = { field, leaves, unsent, wait };
})();
