// The preview page: what /api/live says, and the program's HLS. Text only ever goes in as text.

const $ = (id) => document.getElementById(id);
const LOST_AFTER = 25000; // ms without a word; the controller says something every 10 s
let state = null; // the newest status
let skew = 0; // server's clock minus ours, s
let chosenProgram = null;
let chosenPreview = null;

const now = () => Date.now() / 1000 + skew;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function text(id, words) {
  if ($(id).textContent !== words) $(id).textContent = words;
}

// Replaces the children only if something changed, so that a reader's place and focus are kept.
function fill(id, nodes, none) {
  const list = $(id);
  const fresh = nodes.length ? nodes : none ? [element("li", { class: "none" }, none)] : [];
  const html = fresh.map((node) => node.outerHTML).join("");
  if (list.dataset.html !== html) {
    list.replaceChildren(...fresh);
    list.dataset.html = html;
  }
}

function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// ConnectionRefused -> Connection refused
const spaced = (word) => word.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const clock = (unix) => new Date(unix * 1000).toLocaleTimeString([], { hour12: false });

// ---- what the controller says

function choose(id, label, options, chosen) {
  const select = $(id);
  const words = options.map((option) => option.label).join("\n");
  if (select.dataset.words !== words) {
    select.replaceChildren(...options.map((option) => element("option", { value: option.value }, option.label)));
    select.dataset.words = words;
  }
  select.value = chosen;
  $(label).hidden = options.length < 2;
}

function program() {
  const programs = state?.programs ?? [];
  return programs.find((item) => item.id === chosenProgram) ?? programs[0] ?? null;
}

function show() {
  const current = program();
  document.title = current?.onAir ? `${current.onAir.title} · VistterStream` : "VistterStream";
  choose("program", "program-choice", (state?.programs ?? []).map((p) => ({ value: p.id, label: p.id })), current?.id);
  showAir(current);
  showRows("cameras", state.cameras, current, "No camera is configured. A manifest of kind Camera adds one.");
  showRows("outputs", state.outputs, null, "No output is configured. A manifest of kind Output adds one.");
  fill("problems", state.problems.map((problem) => element("li", {}, problem)));
  $("problems-card").hidden = !state.problems.length;
  fill("events", state.events.map(eventRow), "Nothing has happened yet.");
  text("version", `VistterStream ${state.version}`);
  showPreview(current);
  tick();
}

function showAir(current) {
  const air = current?.onAir ?? null;
  $("on-air").className = `card air ${!air ? "" : air.kind === "Slate" ? "slate" : "live"}`;
  text("air-label", air ? "On air" : "Off air");
  text("air-name", air ? air.title : current ? "Nothing is on air" : "No program is configured");
  text("air-reason", air ? air.sentence : current ? current.message : "A manifest of kind Program adds one; see examples/01-hello.");
  fill("air-overlays", (air?.overlays ?? []).map((name) => element("li", {}, name)));
}

function row(item, tally) {
  const name = element("span", { class: "name" }, item.name);
  if (tally) name.append(element("span", { class: "tally" }, "ON AIR"));
  const more = [item.detail, item.message].filter(Boolean).join(" · ");
  return element(
    "li",
    { class: item.tone },
    element("span", { class: "dot", "aria-hidden": "true" }),
    name,
    element("span", { class: "state" }, spaced(item.state)),
    more ? element("span", { class: "more" }, more) : null,
  );
}

function showRows(id, items, current, none) {
  const air = current?.onAir;
  fill(id, items.map((item) => row(item, air?.kind === "Camera" && air.name === item.name && current.namespace === item.namespace)), none);
}

function eventRow(event) {
  const times = event.count > 1 ? `, ${event.count} times` : "";
  return element(
    "li",
    { class: event.type },
    element("span", { class: "when" }, `${clock(event.time)} · ${event.object}${times}`),
    element("span", { class: "what" }, `${spaced(event.reason)}: `),
    event.message,
  );
}

// What moves with the clock alone.
function tick() {
  if (!state) return;
  const current = program();
  const air = current?.onAir;
  text("air-since", air?.since ? ` · for ${span(now() - air.since)}` : "");
  const coming = (current?.next ?? []).filter((cue) => cue.at > now() - 1).slice(0, 4);
  fill(
    "next",
    coming.map((cue) => element("li", {}, element("span", {}, cue.title), element("span", { class: "in" }, `in ${span(cue.at - now())}`))),
    current ? "Nothing else is planned." : "",
  );
}

// ---- connection

let lastWord = Date.now();

function connection(tone, words) {
  $("connection").className = `pill ${tone}`;
  text("connection-text", words);
}

function lost() {
  connection("bad", "Not connected");
  document.body.classList.toggle("stale", state !== null);
  $("lost").hidden = false;
  text("lost", state
    ? `The controller has not answered since ${clock(lastWord / 1000)}. What is on air goes on without it; what this page says may be old. Trying again.`
    : "The controller does not answer. Trying again.");
}

function connect() {
  const source = new EventSource("/api/live");
  source.onmessage = (message) => {
    state = JSON.parse(message.data);
    heard(state.time);
    show();
  };
  source.addEventListener("beat", (message) => heard(Number(message.data)));
  source.onerror = () => {
    lost();
    if (source.readyState === EventSource.CLOSED) {
      clearInterval(watch);
      setTimeout(connect, 3000);
    }
  };
  const watch = setInterval(() => {
    if (Date.now() - lastWord > LOST_AFTER) {
      lost();
      source.close();
      clearInterval(watch);
      connect();
    }
  }, 5000);
}

function heard(serverTime) {
  lastWord = Date.now();
  skew = serverTime - Date.now() / 1000;
  connection("good", "Connected");
  document.body.classList.remove("stale");
  $("lost").hidden = true;
}

// ---- picture

const video = $("video");
let playing = null; // address that is being played
let player = null; // of hls.js
let retry = null;

function curtain(words) {
  $("curtain").hidden = !words;
  if (words) text("curtain-text", words);
}

function showPreview(current) {
  const previews = current?.previews ?? [];
  const preview = previews.find((item) => item.url === chosenPreview) ?? previews[0] ?? null;
  choose("preview", "preview-choice", previews.map((item) => ({ value: item.url, label: item.label })), preview?.url);
  if (preview?.url === playing) return;
  stopPlaying();
  playing = preview?.url ?? null;
  if (playing) {
    curtain("The preview starts in a moment");
    play(playing);
  } else {
    curtain(!current ? "No program is configured" : "No output of this program has an HLS target without a folder; add one to see the picture here");
  }
}

function stopPlaying() {
  clearTimeout(retry);
  player?.destroy();
  player = null;
  video.removeAttribute("src");
  video.load();
  text("behind", "");
}

function again(url, words) {
  stopPlaying();
  curtain(document.body.classList.contains("stale") ? "The preview comes back with the connection" : words);
  retry = setTimeout(() => { if (playing === url) play(url); }, 2000);
}

let native = video.canPlayType("application/vnd.apple.mpegurl") !== "";

async function play(url) {
  const found = await fetch(url, { cache: "no-store" }).then((answer) => answer.ok, () => false);
  if (playing !== url) return;
  if (!found) return again(url, program()?.onAir ? "The preview starts in a moment" : "Nothing is on air");
  if (native) {
    video.src = url;
    video.play().catch(() => {});
    return;
  }
  const Hls = await loadHls();
  if (playing !== url) return;
  if (!Hls?.isSupported()) return curtain("This browser cannot play HLS");
  player = new Hls({ enableWorker: false, liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 6, maxLiveSyncPlaybackRate: 1.1, backBufferLength: 20 });
  player.on(Hls.Events.ERROR, (_name, error) => {
    if (!error.fatal || playing !== url) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !player.recovered) {
      player.recovered = true;
      player.recoverMediaError();
    } else {
      again(url, "The preview was interrupted; trying again");
    }
  });
  player.loadSource(url);
  player.attachMedia(video);
  video.play().catch(() => {});
}

function loadHls() {
  if (window.Hls) return Promise.resolve(window.Hls);
  return new Promise((resolve) => {
    const script = element("script", { src: "/page/hls.light.min.js" });
    script.onload = () => resolve(window.Hls);
    script.onerror = () => resolve(null);
    document.head.append(script);
  });
}

video.addEventListener("playing", () => curtain(""));
video.addEventListener("error", () => {
  if (!playing || !video.getAttribute("src") || player) return;
  native = false; // it said it could, and cannot
  again(playing, "The preview was interrupted; trying again");
});

function showBehind() {
  const edge = video.seekable.length ? video.seekable.end(video.seekable.length - 1) - video.currentTime : 0;
  const seconds = Math.round(player?.latency || edge);
  const words = video.paused ? "Paused" : `The preview runs ${seconds > 0 && seconds < 600 ? `about ${seconds} s` : "a few seconds"} behind`;
  text("behind", playing && $("curtain").hidden ? words : "");
}

$("program").addEventListener("change", (event) => { chosenProgram = event.target.value; show(); });
$("preview").addEventListener("change", (event) => { chosenPreview = event.target.value; showPreview(program()); });
setInterval(() => { tick(); showBehind(); }, 1000);
connect();
