/* 在线阅览: deep zoom, and turning pages without losing zoom, rotation or the full screen.
   The page of the next sheet is fetched as it would be opened, so that the journal has one line a page. */
(() => {
  "use strict";

  const main = document.querySelector("[data-viewer]");
  if (!main || !window.OpenSeadragon) { return; }
  const stage = main.querySelector("[data-stage]");
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

  function draw_hits() {
    const { width } = size();
    JSON.parse(stage.dataset.boxes).forEach((box, place) => {
      const mark = document.createElement("div");
      mark.className = place ? "jz-hit" : "jz-hit is-now";
      viewer.addOverlay({ element: mark, location: new Rect(box.x / width, box.y / width, box.width / width, box.height / width) });
    });
    const first = JSON.parse(stage.dataset.boxes)[0];
    if (first && !viewer.viewport.getBounds().containsPoint(new window.OpenSeadragon.Point(first.x / width, first.y / width))) {
      viewer.viewport.panTo(new window.OpenSeadragon.Point((first.x + first.width / 2) / width, first.y / width), true);
    }
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

  const zoom = main.querySelector("[data-zoom]");
  function tell_zoom() {
    const image = viewer.world.getItemAt(0);
    if (image) { zoom.textContent = Math.round(image.viewportToImageZoom(viewer.viewport.getZoom()) * 100) + "%"; }
  }
  ["open", "zoom", "resize"].forEach((name) => viewer.addHandler(name, tell_zoom));

  function show() {
    viewer.clearOverlays();
    viewer.open({ type: "legacy-image-pyramid", levels: JSON.parse(stage.dataset.levels) });
    const now = main.querySelector(".jz-strip .is-now");
    if (now) { now.scrollIntoView({ block: "nearest" }); }
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
  async function turn(href, { push = true, same = true, body } = {}) {
    const mine = asked += 1;
    main.classList.add("is-turning");
    const answer = await fetch(href, { method: body ? "POST" : "GET", body, headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
    if (mine !== asked) { return; }
    const text = answer && answer.ok ? await answer.text() : "";
    const next = text && new DOMParser().parseFromString(text, "text/html");
    if (!next || !next.querySelector("[data-viewer]")) { location.assign(href); return; }
    kept = same && viewer.isOpen() ? { zoom: viewer.viewport.getZoom(), rotation: viewer.viewport.getRotation(), x: viewer.viewport.getCenter().x } : null;
    const toc = main.querySelector('[data-part="toc"]');
    const top = toc.scrollTop;
    replace(next);
    toc.scrollTop = top;
    if (push) { history.pushState({ viewer: true }, "", answer.url); }
    show();
    window.juanzong.announce(stage.getAttribute("aria-label"));
  }

  main.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-turn]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) { return; }
    event.preventDefault();
    turn(link.href);
  });
  main.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-go], [data-find-in]")) { return; }
    event.preventDefault();
    const typed = new FormData(form);
    if (form.matches("[data-find-in]")) { turn(location.pathname, { same: false, body: typed }); return; }
    const address = new URL(form.action);
    address.search = new URLSearchParams(typed).toString();
    turn(address.href);
  });
  window.addEventListener("popstate", () => { turn(location.href, { push: false }); });

  /* Tools; their keys are in the markup */

  const acts = {
    in() { viewer.viewport.zoomBy(1.35); viewer.viewport.applyConstraints(); },
    out() { viewer.viewport.zoomBy(1 / 1.35); viewer.viewport.applyConstraints(); },
    fit() { fit(); whole = !whole; },
    rotate() { viewer.viewport.setRotation((viewer.viewport.getRotation() + 90) % 360, true); fit(true); },
    full() { if (document.fullscreenElement) { document.exitFullscreen(); } else { main.requestFullscreen(); } },
    text() {
      const narrow = window.matchMedia("(max-width: 1100px)").matches;
      main.classList.toggle(narrow ? "with-text" : "no-text");
    }
  };
  main.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-view]");
    if (button) { acts[button.dataset.view](); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "=" && !event.ctrlKey && !event.metaKey && !window.juanzong.typing(event.target)) { acts.in(); }
  });

  show();
})();
