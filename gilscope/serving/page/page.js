// What textual.js is told before it begins, and what it leaves to the page.
"use strict";
(() => {
  const COLUMNS = 120; // as wide as the whole dashboard; smaller letters where the window is narrow
  const begin = window.onload;
  const terminal = () => document.getElementById("terminal");

  const letters = () => {
    const asked = Number(new URLSearchParams(location.search).get("fontsize"));
    if (asked >= 6 && asked <= 64) return asked;
    return Math.max(9, Math.min(16, Math.floor(innerWidth / COLUMNS / 0.6)));
  };

  window.onload = async (event) => {
    if (!document.createElement("canvas").getContext("webgl2")) {
      document.body.classList.add("-lacking");
      return;
    }
    const socket = new URL("ws", location.href);
    socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    socket.search = socket.hash = "";
    terminal().dataset.sessionWebsocketUrl = socket.href;
    terminal().dataset.fontSize = letters();
    document.getElementById("again").onclick = () => location.reload();
    // Cells are measured once: with the font that will be used.
    const font = '16px "Roboto Mono"';
    const late = new Promise((done) => setTimeout(done, 3000));
    await Promise.race([Promise.all([document.fonts.load(font), document.fonts.load("bold " + font)]), late]);
    begin(event);
    const keys = () => document.querySelector(".xterm-helper-textarea")?.focus();
    keys();
    window.addEventListener("focus", keys);
  };
})();
