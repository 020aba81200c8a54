/* 卷宗: what makes pages quicker. Every page works without it. */
(() => {
  "use strict";

  const root = document.documentElement;
  root.classList.add("js");

  function $(selector, within) { return (within || document).querySelector(selector); }
  function all(selector, within) { return Array.from((within || document).querySelectorAll(selector)); }

  /* One place where results are read aloud. */
  function announce(words) {
    const place = $("[data-announce]");
    if (place) { place.textContent = ""; window.setTimeout(() => { place.textContent = words; }, 30); }
  }

  /* In a field, letters are text and not keys. */
  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button|submit)$/.test(target.type);
  }

  window.juanzong = { announce, all, typing };

  /* htmx sends the token of the page with each request that it makes. */
  document.addEventListener("htmx:configRequest", (event) => {
    const token = $('meta[name="csrf-token"]');
    if (token) { event.detail.headers["X-CSRFToken"] = token.content; }
  });

  /* What a page fetches behind itself is asked for three times in all; then the page shows the link that asks for it. */
  function missed(event) {
    const place = event.detail.elt;
    if (!place.matches("[hx-trigger='load, again']")) { return; }
    const tries = Number(place.dataset.tries || 1);
    if (tries === 3) { place.setAttribute("data-failed", ""); return; }
    place.dataset.tries = String(tries + 1);
    window.setTimeout(() => { htmx.trigger(place, "again"); }, tries * 1000);
  }

  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => { document.addEventListener(name, missed); });

  /* A part of the page that comes again as it is stays: nobody loses the place of their hands or hears it read a second time. */
  const TOKEN = /name="csrf_token" value="[^"]*"/g;
  function is_the_same(one, other) { return one.outerHTML.replace(TOKEN, "") === other.outerHTML.replace(TOKEN, ""); }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = target.id && fragment.querySelector("#" + target.id);
    if (fresh && is_the_same(target, fresh)) { event.detail.shouldSwap = false; }
  });

  /* Theme and rail: the server draws them from the cookie, so a new page does not flash. */
  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = name + "=" + value + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
  }

  const turn = {
    theme(button) {
      root.setAttribute("data-bs-theme", button.value);
      all("button", button.parentNode).forEach((one) => { one.setAttribute("aria-pressed", String(one === button)); });
      return button.value;
    },
    rail(button) {
      const value = root.getAttribute("data-rail") === "narrow" ? "wide" : "narrow";
      root.setAttribute("data-rail", value);
      button.setAttribute("aria-pressed", String(value === "narrow"));
      button.value = value === "narrow" ? "wide" : "narrow";
      return value;
    }
  };

  document.addEventListener("submit", (event) => {
    const name = event.target.getAttribute("data-toggle-cookie");
    if (!name || !event.submitter) { return; }
    event.preventDefault();
    remember(name, turn[name](event.submitter));
  });

  /* What cannot be taken back is said before it is done. Runs in the capture phase, before a form is sent. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (button && !window.confirm(button.getAttribute("data-confirm"))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  /* Clipboard: the async interface needs https, and a record room's server may have none. */
  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) { return navigator.clipboard.writeText(text); }
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.appendChild(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy"));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) { return; }
    copy(button.getAttribute("data-copy")).then(() => {
      const icon = $(".ti", button);
      if (icon) {
        icon.classList.replace("ti-copy", "ti-check");
        window.setTimeout(() => { icon.classList.replace("ti-check", "ti-copy"); }, 1500);
      }
      button.focus();
      announce($("[data-announce]").getAttribute("data-copied"));
    }, () => {
      window.prompt("", button.getAttribute("data-copy"));
    });
  });

  /* A gun ends each barcode with Enter: where more is asked, that goes on to the next field; the last one sends. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "checkbox" || !event.target.closest("[data-stepwise]")) { return; }
    const asked = all("input:not([type=hidden], [type=checkbox])", event.target.form);
    const next = asked[asked.indexOf(event.target) + 1];
    if (next) {
      event.preventDefault();
      next.focus();
      next.select();
    }
  });

  /* Menus are <details>: one open at a time, closed by Escape or by a click elsewhere. */
  document.addEventListener("click", (event) => {
    all("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
  });

  function close_menu() {
    const menu = $("details[data-menu][open]");
    if (!menu) { return false; }
    menu.open = false;
    $("summary", menu).focus();
    return true;
  }

  /* Keys: "/" to search, Escape to close, and what a button names in data-key, such as "F4", "f" or "g d". */
  let before = "";
  let waiting = 0;

  function named(key) {
    return all("[data-key]").find((one) => one.getAttribute("data-key") === key && !one.disabled);
  }

  function pressed(key) {
    const found = (before && named(before + " " + key)) || named(key);
    before = all("[data-key]").some((one) => one.getAttribute("data-key").startsWith(key + " ")) ? key : "";
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => { before = ""; }, 1000);
    return found;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && close_menu()) { event.preventDefault(); return; }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const written = /^F\d+$/.test(event.key);
    if (!plain || event.isComposing || !written && typing(event.target)) { return; }
    if (event.key === "/") {
      const find = $("[data-find]");
      if (find) { event.preventDefault(); find.focus(); find.select(); }
      return;
    }
    const found = pressed(event.key);
    if (!found) { return; }
    event.preventDefault();
    found.click();
    const details = found.closest("summary") && found.closest("details");
    if (details) { (details.open && $("select, input:not([type=hidden]), textarea", details) || found).focus(); }
  });

  /* How long ago, beside the full time, when the pointer rests on a moment. */
  const steps = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  function ago(moment) {
    const words = new Intl.RelativeTimeFormat(root.lang || "zh-CN", { numeric: "auto" });
    const seconds = (moment.getTime() - Date.now()) / 1000;
    for (const [unit, length] of steps) {
      if (Math.abs(seconds) >= length) { return words.format(Math.round(seconds / length), unit); }
    }
    return words.format(0, "minute");
  }

  document.addEventListener("mouseover", (event) => {
    const place = event.target.closest && event.target.closest("time[data-relative]");
    if (!place) { return; }
    const moment = new Date(place.getAttribute("datetime"));
    if (isNaN(moment)) { return; }
    place.dataset.full = place.dataset.full || place.title;
    place.title = place.dataset.full + " · " + ago(moment);
  });

  /* After a refused form, the reader begins at what is wrong. */
  const wrong = $("[data-focus]") || $("main [aria-invalid=true]");
  if (wrong) { wrong.focus(); }
})();
