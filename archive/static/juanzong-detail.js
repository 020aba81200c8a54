/* 细部: what the master holds beyond the picture of a page is laid over it, in squares, once somebody looks closer than it goes.
   Whoever reads by a grant has no such address in their page; while nothing is drawn the picture stays as it is. */
(() => {
  "use strict";

  const between = 1000;
  const patience = 1500;
  const most = 3 * 60 * 1000;
  /* A ticket lasts an hour; behind it each square would be a line of its own in the journal. */
  const fresh = 50 * 60 * 1000;
  const again = 30 * 1000;

  function rest(time) { return new Promise((resolve) => { window.setTimeout(resolve, time); }); }

  async function said(href, method) {
    const token = document.querySelector('meta[name="csrf-token"]');
    const headers = { Accept: "application/json", ...method === "POST" && { "X-CSRFToken": token.content } };
    const answer = await fetch(href, { method, headers, credentials: "same-origin" }).catch(() => null);
    return answer && answer.ok ? answer.json().catch(() => null) : null;
  }

  window.juanzong.in_detail = (viewer, stage) => {
    const status = stage.querySelector("[data-fine]");
    let page = null;

    function tell(words) { if (status.textContent !== words) { status.textContent = words; } }

    /* Whether a pixel of the picture is larger than one of the screen. */
    function is_close() {
      const picture = viewer.world.getItemAt(0);
      return picture && picture.viewportToImageZoom(viewer.viewport.getZoom()) * window.OpenSeadragon.pixelDensityRatio > 1;
    }

    function show() {
      if (!page) { return; }
      const close = is_close();
      if (page.layer) { page.layer.setOpacity(close ? 1 : 0); }
      tell(close ? page.words : "");
      if (close && !page.asked && Date.now() > page.after) { ask(page); }
      if (close && page.layer && Date.now() - page.since > fresh) { renew(page); }
    }

    /* A lost line or an ended right: the picture stays. Whoever goes on looking asks anew, and hears what is true then. */
    function drop(mine) {
      if (mine.layer) { viewer.world.removeItem(mine.layer); }
      Object.assign(mine, { layer: null, asked: false, words: "", after: Date.now() + again });
      if (mine === page) { tell(""); }
    }

    async function ask(mine) {
      mine.asked = true;
      const begun = Date.now();
      let found = await said(mine.href, "GET");
      if (found && !found.drawn && mine === page) { await said(mine.href.split("?")[0], "POST"); }
      while (found && !found.drawn && mine === page && Date.now() - begun < most) {
        if (Date.now() - begun > patience) { mine.words = status.dataset.drawing; show(); }
        await rest(document.hidden ? 4 * between : between);
        found = await said(mine.href, "GET");
      }
      if (mine !== page) { return; }
      if (found && found.drawn) { lay(mine, found); } else { drop(mine); }
    }

    function lay(mine, found) {
      mine.words = found.limited ? status.dataset.limited : found.width ? status.dataset.whole : "";
      if (!found.width) { show(); return; }
      Object.assign(mine, { squares: found.squares, since: Date.now() });
      const finest = Math.ceil(Math.log2(Math.max(found.width, found.height)));
      viewer.addTiledImage({
        x: 0, y: 0, width: 1, opacity: 0,
        tileSource: {
          width: found.width, height: found.height, tileSize: found.side, minLevel: finest, maxLevel: finest,
          getTileUrl: (level, column, row) => `${mine.squares}&column=${column}&row=${row}`
        },
        success(event) {
          if (mine !== page) { viewer.world.removeItem(event.item); return; }
          mine.layer = event.item;
          show();
        }
      });
    }

    async function renew(mine) {
      mine.since = Date.now();
      const found = await said(mine.href, "GET");
      if (found && found.width) { mine.squares = found.squares; } else if (mine === page) { drop(mine); }
    }

    viewer.addHandler("open", () => {
      const href = stage.dataset.detail;
      page = href ? { href, layer: null, asked: false, words: "", after: 0, since: 0, squares: "" } : null;
      tell("");
      show();
    });
    viewer.addHandler("tile-load-failed", (event) => { if (page && page.layer && event.tiledImage === page.layer) { drop(page); } });
    ["zoom", "pan", "resize"].forEach((name) => viewer.addHandler(name, show));
  };
})();
