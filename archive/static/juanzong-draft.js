/* Drafts [data-draft]: what is typed is kept on the server a few seconds later, and when the page is left. */
(() => {
  "use strict";

  const wait = 4000;

  function written(form) {
    const fields = new FormData(form);
    fields.delete("csrf_token");
    return JSON.stringify(Array.from(fields));
  }

  function keeping(form) {
    const place = form.querySelector("[data-draft-state]");
    let kept = written(form);
    let timer = 0;
    let sent = false;

    function say(words) { if (place) { place.textContent = words; } }

    function keep() {
      const now = written(form);
      if (sent || now === kept || !form.isConnected) { return; }
      fetch(form.dataset.draft, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } }).then((answer) => {
        if (answer.status === 401) { say(place.dataset.ended); return null; }
        if (!answer.ok) { say(place.dataset.failed); return null; }
        kept = now;
        return answer.json().then((said) => { say(said.text); });
      }).catch(() => { say(place.dataset.failed); });
    }

    function later() {
      window.clearTimeout(timer);
      timer = window.setTimeout(keep, wait);
    }

    form.addEventListener("input", later);
    form.addEventListener("change", later);
    form.addEventListener("submit", () => { sent = true; window.clearTimeout(timer); });
    form.addEventListener("juanzong:unsent", () => { sent = false; later(); });
    window.addEventListener("pageshow", () => { sent = false; });
    /* A page that is closing no longer waits for an answer: the browser sends this one by itself. */
    window.addEventListener("pagehide", () => {
      const now = written(form);
      if (!sent && now !== kept && form.isConnected && navigator.sendBeacon(form.dataset.draft, new FormData(form))) { kept = now; }
    });
  }

  window.juanzong.drafts = (within) => { within.querySelectorAll("form[data-draft]").forEach(keeping); };
  window.juanzong.drafts(document);
})();
