/* A worker: the SHA-256 of a file, read part by part. Browsers work it out themselves only over https, and only of what
   lies in memory as a whole. FIPS 180-4, section 6.2. Gets one File after the other; posts {done: bytes}, at last {sha256}, or {failed: true}. */
(() => {
  "use strict";

  const STEP = 4 * 1024 * 1024;
  const BLOCK = 64;

  /* The first 32 bits of the fractional parts of square and cube roots of the first primes. */
  function primes(count) {
    const found = [];
    for (let each = 2; found.length < count; each += 1) {
      if (found.every((one) => each % one)) { found.push(each); }
    }
    return found;
  }

  function fraction(root) { return ((root - Math.floor(root)) * 0x100000000) | 0; }

  const K = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
  const BEGINNING = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));
  const state = new Int32Array(8);
  const w = new Int32Array(64);

  function turned(x, by) { return (x >>> by) | (x << (32 - by)); }

  function block(bytes, at) {
    for (let i = 0; i < 16; i += 1) {
      const j = at + 4 * i;
      w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = (w[i - 16] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + w[i - 7] + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10))) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + first) | 0;
      d = c; c = b; b = a; a = (first + second) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  function blocks(bytes) {
    for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) { block(bytes, at); }
  }

  /* The last bytes, a one, zeros, and the length in bits. */
  function close(rest, size) {
    const last = new Uint8Array(rest.length + 9 > BLOCK ? 2 * BLOCK : BLOCK);
    last.set(rest);
    last[rest.length] = 0x80;
    const view = new DataView(last.buffer);
    view.setUint32(last.length - 8, Math.floor(size / 0x20000000));
    view.setUint32(last.length - 4, (size % 0x20000000) * 8);
    blocks(last);
    return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  async function work(file) {
    let rest = new Uint8Array(0);
    state.set(BEGINNING);
    for (let at = 0; at < file.size; at += STEP) {
      rest = new Uint8Array(await file.slice(at, at + STEP).arrayBuffer());
      blocks(rest);
      postMessage({ done: at + rest.length });
    }
    postMessage({ sha256: close(rest.subarray(rest.length - rest.length % BLOCK), file.size) });
  }

  addEventListener("message", (event) => { work(event.data).catch(() => { postMessage({ failed: true }); }); });
})();
