/* 在线阅览: deep zoom, and turning pages without losing zoom, rotation or the full screen.
   The page of the next sheet is fetched as it would be opened, so that the journal has one line a page. */
(() => {
  "use strict";

  const main = document.querySelector("[data-viewer]");
  if (!main || !window.OpenSeadragon) { return; }
  const stage = main.querySelector("[data-stage]");
  const { text, in_detail } = window.juanzong;
  const Rect = window.OpenSeadragon.Rect;

  const deep = document.createElement("div");
  deep.className = "jz-deep";
  stage.classList.add("is-deep");
  stage.append(deep);

  /* A screen reader has the text beside the image; the canvas itself says nothing. */
  const viewer = window.OpenSeadragon({
    element: deep, showNavigationControl: false, showNavigator: false, animationTime: 0.35, springStiffness: 9,
    maxZoomPixelRatio: 3, minZoomImageRatio: 0.6, visibilityRatio: 0.4, imageLoaderLimit: 2, tabIndex: -1,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, gestureSettingsTouch: { pinchRotate: false },
    placeholderFillStyle: null, drawer: "canvas"
  });
  viewer.addHandler("canvas-key", (event) => { event.preventDefaultAction = true; });

  let whole = false;
  let kept = null;

  function size() { return { width: Number(stage.dataset.width), height: Number(stage.dataset.height) }; }

  function ratio() {
    const turned = viewer.viewport.getRotation() % 180 !== 0;
    const { width, height } = size();
    return turned ? width / height : height / width;
  }

  /* The width of the page, from its top: how one reads. */
  function fit_width(now) {
    const box = viewer.viewport.getContainerSize();
    const { width, height } = size();
    const turned = viewer.viewport.getRotation() % 180 !== 0;
    const wide = turned ? height / width : 1;
    const tall = wide * box.y / box.x;
    const left = (1 - wide) / 2;
    const top = turned ? (height / width - 1) / 2 : 0;
    viewer.viewport.fitBounds(new Rect(left, ratio() * wide < tall ? top - (tall - ratio() * wide) / 2 : top, wide, tall), now);
  }

  function fit(now) { if (whole) { viewer.viewport.goHome(now); } else { fit_width(now); } }

  function boxes() { return JSON.parse(stage.dataset.boxes); }
  function is_now(box) { return box.place !== null && String(box.place) === stage.dataset.current; }

  /* The words over the image, unseen: with the key of their tool they are marked and copied as on any page. */
  const drawn = "http://www.w3.org/2000/svg";
  let selecting = false;

  function draw_words() {
    if (!selecting) { return; }
    const { width, height } = size();
    const words = document.createElementNS(drawn, "svg");
    words.setAttribute("viewBox", `0 0 ${width} ${height}`);
    words.setAttribute("class", "jz-words");
    words.setAttribute("aria-hidden", "true");
    for (const [x0, y0, x1, y1, said] of JSON.parse(stage.dataset.lines)) {
      const line = document.createElementNS(drawn, "text");
      const given = { x: x0, y: y1 - 0.15 * (y1 - y0), "font-size": y1 - y0, textLength: x1 - x0, lengthAdjust: "spacingAndGlyphs" };
      for (const name of Object.keys(given)) { line.setAttribute(name, given[name]); }
      line.textContent = said + "\n";
      words.append(line);
    }
    viewer.addOverlay({ element: words, location: new Rect(0, 0, 1, height / width) });
  }

  function draw_hits() {
    const { width } = size();
    viewer.clearOverlays();
    draw_words();
    boxes().forEach((box) => {
      const mark = document.createElement("div");
      mark.className = is_now(box) ? "jz-hit is-now" : "jz-hit";
      viewer.addOverlay({ element: mark, location: new Rect(box.x / width, box.y / width, box.width / width, box.height / width) });
    });
    const now = boxes().find(is_now) || boxes()[0];
    if (now) { bring_into_view(new window.OpenSeadragon.Point((now.x + now.width / 2) / width, now.y / width)); }
  }

  /* Sideways only as far as it must be: a page that fills the width stays where it is. */
  function bring_into_view(point) {
    const seen = viewer.viewport.getBounds();
    if (seen.containsPoint(point)) { return; }
    if (point.x >= seen.x && point.x <= seen.x + seen.width) { point.x = viewer.viewport.getCenter().x; }
    viewer.viewport.panTo(point, true);
  }

  viewer.addHandler("open", () => {
    if (kept) {
      viewer.viewport.setRotation(kept.rotation, true);
      viewer.viewport.zoomTo(kept.zoom, null, true);
      const seen = viewer.viewport.getBounds(true);
      viewer.viewport.panTo(new window.OpenSeadragon.Point(kept.x, seen.height / 2), true);
    } else {
      fit(true);
    }
    draw_hits();
    main.classList.remove("is-turning");
  });

  in_detail(viewer, stage);

  const zoom = main.querySelector("[data-zoom]");
  function tell_zoom() {
    const image = viewer.world.getItemAt(0);
    if (image) { zoom.textContent = Math.round(image.viewportToImageZoom(viewer.viewport.getZoom()) * 100) + "%"; }
  }
  ["open", "zoom", "resize"].forEach((name) => viewer.addHandler(name, tell_zoom));

  /* The current place in the list and in the text, with what is around it. */
  function to_place() {
    for (const now of main.querySelectorAll("[data-hits] .is-now, .jz-text mark.is-now")) { now.scrollIntoView({ block: "center" }); }
  }

  function show() {
    viewer.clearOverlays();
    viewer.open({ type: "legacy-image-pyramid", levels: JSON.parse(stage.dataset.levels) });
    text.wait(() => { turn(location.href, { push: false }); });
    const leaf = main.querySelector(".jz-strip .is-now");
    if (leaf) { leaf.scrollIntoView({ block: "nearest" }); }
    to_place();
  }

  /* Turning pages */

  function replace(next) {
    for (const part of main.querySelectorAll("[data-part]")) {
      const fresh = next.querySelector(`[data-part="${part.dataset.part}"]`);
      if (!fresh) { continue; }
      if (part === stage) {
        Object.assign(part.dataset, fresh.dataset);
        part.setAttribute("aria-label", fresh.getAttribute("aria-label"));
      } else {
        part.replaceChildren(...fresh.childNodes);
      }
    }
    document.title = next.title;
  }

  let asked = 0;
  let here = location.href;
  /* What a correction is told stands on the page that comes with it; any other answer that is no page leads away. */
  async function turn(href, { push = true, asks = true, form } = {}) {
    const typing = form && form.matches("[data-typing]");
    if (asks && !typing && !text.leaves()) { return; }
    const mine = asked += 1;
    main.classList.add("is-turning");
    const body = form && new FormData(form);
    const answer = await fetch(href, { method: form ? "POST" : "GET", body, headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
    if (mine !== asked) { return; }
    const came = answer && (answer.ok || typing && [409, 422].includes(answer.status)) ? await answer.text().catch(() => "") : "";
    const next = came && new DOMParser().parseFromString(came, "text/html");
    if (!next || !next.querySelector("[data-viewer]")) {
      main.classList.remove("is-turning");
      if (typing) { text.unsent(form, answer ? answer.status : 0); } else if (form) { form.submit(); } else { location.assign(href); }
      return;
    }
    kept = viewer.isOpen() ? { zoom: viewer.viewport.getZoom(), rotation: viewer.viewport.getRotation(), x: viewer.viewport.getCenter().x } : null;
    const toc = main.querySelector('[data-part="toc"]');
    const top = toc.scrollTop;
    replace(next);
    toc.scrollTop = top;
    if (push && answer.url !== here) { history.pushState({ viewer: true }, "", answer.url); }
    here = location.href;
    show();
    window.juanzong.drafts(main);
    if (text.field()) {
      main.classList.remove("no-text");
      main.classList.toggle("with-text", window.matchMedia("(max-width: 1100px)").matches);
      text.field().focus();
    }
    const nth = main.querySelector("[data-said]");
    window.juanzong.announce(stage.getAttribute("aria-label") + (nth ? " · " + nth.textContent : ""));
  }

  /* From one place to the next. On the page that is open nothing is fetched: it has been read already. */

  function go(link) {
    if (link.dataset.place === stage.dataset.current) { draw_hits(); return; }
    if (link.dataset.number !== stage.dataset.number) { turn(link.getAttribute("href")); return; }
    const list = Array.from(main.querySelectorAll("[data-hits] [data-place]"));
    const around = { back: list[list.indexOf(link) - 1], on: list[list.indexOf(link) + 1] };
    if (!around.back || !around.on) { turn(link.getAttribute("href")); return; }
    stage.dataset.current = link.dataset.place;
    for (const one of list) {
      one.parentNode.classList.toggle("is-now", one === link);
      if (one === link) { one.parentNode.setAttribute("aria-current", "true"); } else { one.parentNode.removeAttribute("aria-current"); }
    }
    for (const mark of main.querySelectorAll(".jz-text mark")) {
      mark.classList.toggle("is-now", mark.dataset.place === link.dataset.place);
    }
    to_place();
    for (const step of main.querySelectorAll("[data-step]")) { step.setAttribute("href", around[step.dataset.step].getAttribute("href")); }
    main.querySelector("[data-said]").textContent = link.dataset.nth;
    window.juanzong.announce(link.dataset.nth);
    history.replaceState({ viewer: true }, "", link.getAttribute("href"));
    here = location.href;
    draw_hits();
  }

  function follow(link) {
    const listed = Array.from(main.querySelectorAll("[data-hits] [data-place]")).find((one) => one.getAttribute("href") === link.getAttribute("href"));
    if (listed) { go(listed); } else { turn(link.getAttribute("href")); }
  }

  function step(way) {
    const link = main.querySelector(`[data-step="${way}"]`);
    if (link) { follow(link); }
  }

  const words = main.querySelector("[data-find-in] [name=q]");
  function found() { const bar = main.querySelector("[data-found]"); return bar && bar.dataset.found; }

  function clear() {
    words.value = "";
    const link = main.querySelector("[data-clear]");
    if (link) { turn(link.getAttribute("href")); }
  }

  function to_find() {
    main.classList.remove("no-text");
    main.classList.toggle("with-text", window.matchMedia("(max-width: 1100px)").matches);
    words.focus();
    words.select();
  }

  words.addEventListener("keydown", (event) => {
    if (event.isComposing) { return; }
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); step("back"); }
    if (event.key === "Escape") {
      event.preventDefault();
      if (words.value || found()) { clear(); } else { words.blur(); }
    }
  });
  /* A second Ctrl+F is the browser's own. */
  document.addEventListener("keydown", (event) => {
    const own = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "f";
    if (own && document.activeElement !== words) { event.preventDefault(); to_find(); }
  });

  main.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-turn]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) { return; }
    event.preventDefault();
    if (link.matches("[data-clear]")) { clear(); return; }
    if (link.matches("[data-step], [data-place]")) { follow(link); return; }
    turn(link.getAttribute("href"));
  });
  function look(form) {
    const typed = words.value.trim();
    if (!typed) { clear(); } else if (typed === found()) { step("on"); } else { turn(form.action, { form }); }
  }

  main.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-go], [data-find-in], [data-typing]")) { return; }
    event.preventDefault();
    if (form.matches("[data-typing]")) { turn(form.action, { form }); return; }
    if (form.matches("[data-find-in]")) { look(form); return; }
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form)).toString();
    turn(address.href);
  });
  /* The browser has gone back already: whoever stays has the address of their page again. */
  window.addEventListener("popstate", () => {
    if (text.leaves()) { turn(location.href, { push: false, asks: false }); } else { history.pushState({ viewer: true }, "", here); }
  });

  /* Tools; their keys are in the markup */

  const acts = {
    in() { viewer.viewport.zoomBy(1.35); viewer.viewport.applyConstraints(); },
    out() { viewer.viewport.zoomBy(1 / 1.35); viewer.viewport.applyConstraints(); },
    fit() { fit(); whole = !whole; },
    rotate() { viewer.viewport.setRotation((viewer.viewport.getRotation() + 90) % 360, true); fit(true); },
    full() { if (document.fullscreenElement) { document.exitFullscreen(); } else { main.requestFullscreen(); } },
    find: to_find,
    select(button) {
      selecting = !selecting;
      viewer.setMouseNavEnabled(!selecting);
      button.setAttribute("aria-pressed", String(selecting));
      draw_hits();
    },
    text() {
      const narrow = window.matchMedia("(max-width: 1100px)").matches;
      main.classList.toggle(narrow ? "with-text" : "no-text");
    }
  };
  main.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-view]");
    if (button) { acts[button.dataset.view](button); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "=" && !event.ctrlKey && !event.metaKey && !window.juanzong.typing(event.target)) { acts.in(); }
  });

  show();
})();
