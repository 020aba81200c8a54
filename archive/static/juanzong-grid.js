/* Pages as thumbnails [data-page-grid]: ticks by mouse, keys and touch, and dragging; see templates/_macros/page_grid.html. */
(() => {
  "use strict";

  const { all, announce } = window.juanzong;
  const REST = 350; // milliseconds: a finger that rests so long drags; one that moves before scrolls
  const SLACK = 6; // pixels
  const EDGE = 70; // pixels from the edge of the window, where dragging scrolls

  function boxes(grid) { return all("[data-tile] input[type=checkbox]", grid); }
  function ticked(grid) { return boxes(grid).filter((box) => box.checked); }
  function tile_of(box) { return box.closest("[data-tile]"); }
  function drawer(grid) { return "grid:" + location.pathname + ":" + (grid.getAttribute("aria-label") || ""); }

  /* Where the form says how many are chosen: also beside buttons that stand elsewhere and are the form's by their name. */
  function counts(grid) {
    const form = grid.closest("form");
    return form ? Array.from(form.elements).filter((one) => one.matches("[data-grid-count]")) : [];
  }

  function show(grid) {
    const many = ticked(grid).length;
    counts(grid).forEach((place) => {
      place.textContent = many ? place.dataset.words.replace("{count}", String(many)) : place.dataset.none;
      place.classList.remove("jz-bad");
    });
  }

  function tick(grid, wanted, on) {
    wanted.forEach((box) => { box.checked = on; });
    show(grid);
  }

  /* One stop for the Tab key; arrows move within. */
  function stand(grid, box, focus) {
    boxes(grid).forEach((one) => { one.tabIndex = one === box ? 0 : -1; });
    if (focus) {
      box.focus({ preventScroll: true });
      tile_of(box).scrollIntoView({ block: "nearest" });
    }
  }

  function between(grid, one, other) {
    const here = boxes(grid);
    const ends = [here.indexOf(one), here.indexOf(other)].sort((a, b) => a - b);
    return here.slice(Math.max(0, ends[0]), ends[1] + 1);
  }

  /* The page above or below: the one in the next row whose middle is nearest. */
  function beside(grid, box, way) {
    const here = boxes(grid);
    const from = tile_of(box).getBoundingClientRect();
    let found = null, nearest = Infinity;
    here.forEach((one) => {
      const to = tile_of(one).getBoundingClientRect();
      const rows = way * (to.top - from.top);
      if (rows < from.height / 2) { return; }
      const far = rows * 1000 + Math.abs(to.left - from.left);
      if (far < nearest) { nearest = far; found = one; }
    });
    return found;
  }

  function next(grid, box, key) {
    const here = boxes(grid), at = here.indexOf(box);
    if (key === "ArrowRight") { return here[at + 1]; }
    if (key === "ArrowLeft") { return here[at - 1]; }
    if (key === "ArrowDown") { return beside(grid, box, 1); }
    if (key === "ArrowUp") { return beside(grid, box, -1); }
    if (key === "Home") { return here[0]; }
    return key === "End" ? here[here.length - 1] : undefined;
  }

  /* Presses the button that moves the ticked pages to before the page with this number, or behind it: "12+". */
  function move(grid, number) {
    const form = grid.closest("form");
    const field = form.elements[grid.dataset.moved];
    const button = form.querySelector("[data-moves]");
    if (!field || !button) { return; }
    field.value = number;
    button.click();
  }

  /* By one place: past the page before the first that is ticked, or the one behind the last. */
  function nudge(grid, way) {
    const here = boxes(grid), chosen = ticked(grid);
    if (!chosen.length) { return; }
    const first = here.indexOf(chosen[0]), last = here.indexOf(chosen[chosen.length - 1]);
    if (way < 0 && first > 0) { move(grid, tile_of(here[first - 1]).dataset.number); }
    if (way > 0 && last < here.length - 1) { move(grid, tile_of(here[last + 1]).dataset.number + "+"); }
  }

  function on_key(grid, event) {
    const box = event.target;
    if (box.type !== "checkbox" || !tile_of(box)) { return false; }
    if ((event.ctrlKey || event.metaKey) && event.key === "a") { tick(grid, boxes(grid), true); return true; }
    if (event.altKey && grid.dataset.moved && /^Arrow(Left|Right)$/.test(event.key)) {
      if (!ticked(grid).length) { tick(grid, [box], true); }
      nudge(grid, event.key === "ArrowLeft" ? -1 : 1);
      return true;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) { return false; }
    if (event.key === "Escape" && ticked(grid).length) { tick(grid, boxes(grid), false); return true; }
    if (event.key === "Enter") {
      const link = tile_of(box).querySelector("[data-tile-open]");
      if (link) { location.assign(link.href); }
      return true;
    }
    const to = next(grid, box, event.key);
    if (!to) { return false; }
    if (event.shiftKey) { tick(grid, between(grid, box, to), true); }
    stand(grid, to, true);
    return true;
  }

  /* What is ticked and where one stood outlives the sending of the form, and nothing else does. */
  function keep(grid) {
    const focus = boxes(grid).find((box) => box.tabIndex === 0);
    const kept = { ticked: ticked(grid).map((box) => box.value), at: focus ? focus.value : "", place: focus ? boxes(grid).indexOf(focus) : 0, y: window.scrollY };
    try { sessionStorage.setItem(drawer(grid), JSON.stringify(kept)); } catch (error) { /* Without storage one ticks again. */ }
  }

  function recall(grid) {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(drawer(grid))); sessionStorage.removeItem(drawer(grid)); } catch (error) { /* as above */ }
    const here = boxes(grid);
    if (!kept || !here.length) { return null; }
    const before = new Set(kept.ticked);
    here.forEach((box) => { if (before.has(box.value)) { box.checked = true; } });
    window.scrollTo(0, kept.y);
    return here.find((box) => box.value === kept.at) || here[Math.min(kept.place, here.length - 1)];
  }

  /* Dragging, by pointer events: those of the browser's own dragging are not there for fingers. */
  function draggable(grid) {
    let from = null, start = null, timer = 0, over = null, dropped = false;

    function unmark() { all(".is-before, .is-after", grid).forEach((one) => { one.classList.remove("is-before", "is-after"); }); }

    function begin_drag(box) {
      if (!box.checked) { tick(grid, boxes(grid), false); tick(grid, [box], true); }
      grid.classList.add("is-dragging");
    }

    function end() {
      window.clearTimeout(timer);
      grid.classList.remove("is-dragging");
      unmark();
      from = null;
      over = null;
    }

    function look(event) {
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const tile = under && under.closest("[data-tile]");
      unmark();
      over = null;
      if (event.clientY < EDGE + 48) { window.scrollBy(0, -18); } else if (event.clientY > window.innerHeight - EDGE) { window.scrollBy(0, 18); }
      if (!tile || !grid.contains(tile)) { return; }
      const box = tile.getBoundingClientRect();
      const behind = event.clientX > box.left + box.width / 2;
      tile.classList.add(behind ? "is-after" : "is-before");
      over = tile.dataset.number + (behind ? "+" : "");
    }

    grid.addEventListener("pointerdown", (event) => {
      const tile = event.target.closest("[data-tile]");
      if (!tile || event.button !== 0 || event.target.closest("a")) { return; }
      from = tile.querySelector("input[type=checkbox]");
      start = [event.clientX, event.clientY];
      dropped = false;
      if (event.pointerType === "touch") {
        timer = window.setTimeout(() => { if (from) { begin_drag(from); } }, REST);
      }
    });

    document.addEventListener("pointermove", (event) => {
      if (!from) { return; }
      const far = Math.hypot(event.clientX - start[0], event.clientY - start[1]) > SLACK;
      if (!grid.classList.contains("is-dragging")) {
        if (!far) { return; }
        if (event.pointerType === "touch") { end(); return; }
        begin_drag(from);
      }
      look(event);
    });

    document.addEventListener("pointerup", () => {
      if (!from) { return; }
      const moving = grid.classList.contains("is-dragging"), to = over;
      end();
      if (!moving) { return; }
      dropped = true;
      if (to !== null) { move(grid, to); }
    });

    document.addEventListener("pointercancel", () => { if (from) { end(); } });
    document.addEventListener("keydown", (event) => { if (from && event.key === "Escape") { end(); dropped = true; } });
    grid.addEventListener("touchmove", (event) => { if (grid.classList.contains("is-dragging")) { event.preventDefault(); } }, { passive: false });
    grid.addEventListener("contextmenu", (event) => { if (from) { event.preventDefault(); } });
    grid.addEventListener("click", (event) => {
      if (dropped) { dropped = false; event.preventDefault(); event.stopImmediatePropagation(); }
    }, true);
  }

  /* Without a tick a key acts on the page that one stands on, and a button on none: nobody has said which is meant. */
  function chosen(grid) {
    if (ticked(grid).length) { return true; }
    const tile = grid.contains(document.activeElement) && document.activeElement.closest("[data-tile]");
    if (tile) { tick(grid, boxes(tile), true); return true; }
    counts(grid).forEach((place) => {
      place.textContent = place.dataset.first;
      place.classList.add("jz-bad");
    });
    return false;
  }

  /* On the window, before the question whether it is really meant: that is asked in vain where no page is chosen. */
  window.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-needs-pages]");
    const grid = button && button.form && button.form.querySelector("[data-page-grid]");
    if (grid && !chosen(grid)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  /* Enter in a field presses the button that its field is for, and no other. */
  document.addEventListener("keydown", (event) => {
    const button = event.key === "Enter" && !event.isComposing && document.getElementById(event.target.getAttribute("data-enter"));
    if (button) {
      event.preventDefault();
      button.click();
    }
  });

  function begin(grid) {
    const form = grid.closest("form");
    const stood = recall(grid), here = boxes(grid);
    let last = null;
    if (here.length) { stand(grid, stood || here[0], Boolean(stood)); }
    if (grid.dataset.moved) { draggable(grid); }
    grid.addEventListener("click", (event) => {
      const box = event.target;
      if (box.type !== "checkbox" || !tile_of(box)) { return; }
      if (event.shiftKey && last && last.isConnected) { tick(grid, between(grid, last, box), box.checked); }
      last = box;
      stand(grid, box, false);
      show(grid);
    });
    grid.addEventListener("mousedown", (event) => { if (event.shiftKey) { event.preventDefault(); } });
    grid.addEventListener("keydown", (event) => { if (on_key(grid, event)) { event.preventDefault(); event.stopPropagation(); } });
    if (form) {
      form.addEventListener("click", (event) => {
        if (event.target.closest("[data-grid-all]")) { tick(grid, boxes(grid), true); announce(form.querySelector("[data-grid-count]").textContent); }
        if (event.target.closest("[data-grid-none]")) { tick(grid, boxes(grid), false); }
      }, true);
      form.addEventListener("submit", () => { keep(grid); });
    }
    show(grid);
  }

  function ready(within) {
    all("[data-page-grid]", within).forEach((grid) => {
      if (!grid.dataset.ready) { grid.dataset.ready = "1"; begin(grid); }
    });
  }

  ready(document);
  document.addEventListener("htmx:load", (event) => { ready(event.target.parentNode || document); });
})();
