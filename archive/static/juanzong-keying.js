/* 著录台: Enter goes from field to field and saves at the end; the image is moved with Alt, so that the hands stay on the keys. */
(() => {
  "use strict";

  const form = document.querySelector("[data-keys]");
  if (!form) { return; }
  const stage = document.querySelector("[data-stage]");

  /* The places where Enter stops: each field, and of the choices of a difference one and what may be typed instead. */
  function stops() {
    return [...form.querySelectorAll(".pane input, .pane select, .pane textarea")].filter((field) => {
      if (field.type !== "radio") { return true; }
      const group = [...form.elements[field.name].length ? form.elements[field.name] : [field]];
      return field === (group.find((one) => one.checked) || group[0]);
    });
  }

  function go(field) {
    field.focus();
    if (field.select) { field.select(); }
  }

  /* 20261112 → 2026-11-12, so that one sees what the program has understood. */
  function understood(field) {
    const day = /^(\d{4})(\d{2})(\d{2})$/.exec(field.value.trim());
    if (day && field.placeholder === "20261112") { field.value = day.slice(1).join("-"); }
  }

  function enter(event) {
    const all = stops();
    let at = all.indexOf(event.target);
    if (event.target.type === "radio") {
      at = all.findIndex((field) => field.name === event.target.name);
      if (form.querySelector(`input[name="${event.target.name}"]:checked`)) { at += event.shiftKey ? 0 : 1; }
    }
    if (at < 0) { return; }
    event.preventDefault();
    const next = all[at + (event.shiftKey ? -1 : 1)];
    if (next) { go(next); } else if (!event.shiftKey) { form.requestSubmit(); }
  }

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.altKey) { return; }
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); form.requestSubmit(); } else if (event.target.matches(".pane *")) { enter(event); }
  });
  form.addEventListener("focusout", (event) => {
    if (event.target.matches("input")) { understood(event.target); }
    const line = event.target.closest(".jz-key");
    if (line) { line.classList.add("is-seen"); }
  });
  /* A second Enter while the answer is under way would key the record twice. */
  let sent = false;
  form.addEventListener("submit", (event) => {
    form.querySelectorAll("input").forEach(understood);
    if (sent) { event.preventDefault(); }
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });

  /* Leaving a record half keyed is asked about, whatever leads away. */
  function written() { return JSON.stringify(Array.from(new FormData(form))); }
  const begun = written();
  window.addEventListener("beforeunload", (event) => {
    if (!sent && (form.hasAttribute("data-unsaved") || written() !== begun)) { event.preventDefault(); event.returnValue = ""; }
  });

  const wrong = form.querySelector("[aria-invalid=true]");
  const first = wrong || stops()[0];
  if (first) { go(first); }

  if (!window.OpenSeadragon) { return; }
  const sheets = JSON.parse(stage.dataset.sheets);
  const { Point, Rect } = window.OpenSeadragon;
  const deep = document.createElement("div");
  deep.className = "jz-deep";
  stage.classList.add("is-deep");
  stage.append(deep);
  const viewer = window.OpenSeadragon({
    element: deep, showNavigationControl: false, animationTime: 0.3, springStiffness: 9, maxZoomPixelRatio: 3,
    minZoomImageRatio: 0.6, visibilityRatio: 0.4, tabIndex: -1, gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    placeholderFillStyle: null, drawer: "canvas"
  });
  const port = viewer.viewport;
  let side = 0;

  function fit_width() {
    const box = port.getContainerSize();
    port.fitBounds(new Rect(0, 0, 1, box.y / box.x), true);
  }

  function open(number) {
    if (number < 0 || number >= sheets.length) { return; }
    side = number;
    viewer.open({ type: "legacy-image-pyramid", levels: sheets[side] });
    const said = document.querySelector("[data-side]");
    if (said) { said.textContent = `${side + 1} / ${sheets.length}`; }
  }

  function pan(x, y) {
    const seen = port.getBounds();
    port.panBy(new Point(x * seen.width / 4, y * seen.height / 4));
    port.applyConstraints();
  }

  let whole = false;
  const acts = {
    in: () => port.zoomBy(1.3), out: () => port.zoomBy(1 / 1.3), rotate: () => port.rotateBy(90),
    fit: () => { whole = !whole; if (whole) { port.goHome(); } else { fit_width(); } },
    back: () => open(side - 1), on: () => open(side + 1),
    left: () => pan(-1, 0), right: () => pan(1, 0), up: () => pan(0, -1), down: () => pan(0, 1)
  };
  const keys = {
    "+": "in", "=": "in", "-": "out", "0": "fit", r: "rotate", PageUp: "back", PageDown: "on",
    ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down"
  };
  /* Of the width of the image's place, which is how a page opens. */
  viewer.addHandler("zoom", () => { document.querySelector("[data-zoom]").textContent = `${Math.round(port.getZoom() * 100)}%`; });
  viewer.addHandler("open", fit_width);
  viewer.addHandler("canvas-key", (event) => { event.preventDefaultAction = true; });
  document.querySelectorAll("[data-image]").forEach((button) => {
    button.addEventListener("click", () => acts[button.dataset.image]());
  });
  document.addEventListener("keydown", (event) => {
    const act = event.altKey && !event.ctrlKey && keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) { return; }
    event.preventDefault();
    acts[act]();
  });
  open(0);
})();
