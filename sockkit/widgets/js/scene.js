// A drawing made of lines, boxes and texts that Python laid out: scroll, zoom, pause, and a click
// or an arrow key shows the details of one thing. The same shapes are the static SVG twin.

function render({ model, el }) {
  let state = {};
  let zoom = 1;
  let chosen = null; // the key of the thing whose details are shown
  let group = null; // the group in focus: the others are faint

  const caption = element("span", { class: "sk-caption" });
  const info = details();
  const pause = toggle("Pause", "Pause this view", (on) => following.pause(on));
  const smaller = button("−", "Zoom out", () => setZoom(zoom / 1.25));
  const larger = button("+", "Zoom in", () => setZoom(zoom * 1.25));
  const picture = shape("svg", { "aria-hidden": "true" });
  const reader = element("div", { class: "sk-reader" });
  const box = element("div", { class: "sk-scroll sk-at-end sk-scene", tabindex: 0, role: "group" }, picture);
  el.append(element("div", { class: "sockkit" },
    element("div", { class: "sk-bar" }, caption, pause, smaller, larger), box, info.node, reader));

  function draw(next) {
    state = next;
    if (!state.shapes) return;
    box.setAttribute("aria-label", `${model.get("label")}; arrow keys step through it`);
    write(caption, state.caption);
    write(reader, state.text);
    picture.replaceChildren(...state.shapes.map(drawShape));
    picture.setAttribute("viewBox", `0 0 ${state.width} ${state.height}`);
    resize();
    mark();
  }

  function drawShape([tag, attributes, kind, text, key, member]) {
    const options = { ...attributes, class: kind.replace(/\S+/g, "sk-$&") };
    if (text !== "") options.text = text;
    const node = shape(tag, options);
    if (key !== null) node.dataset.key = key;
    if (member !== null) node.dataset.group = member;
    return node;
  }

  function resize() {
    picture.setAttribute("width", state.width * zoom);
    picture.setAttribute("height", state.height * zoom);
  }

  function setZoom(factor) {
    zoom = Math.min(4, Math.max(0.4, factor));
    resize();
  }

  function mark() {
    for (const node of picture.children) {
      node.classList.toggle("sk-chosen", chosen !== null && node.dataset.key === chosen);
      const faint = group !== null && node.dataset.group !== undefined && node.dataset.group !== group;
      node.classList.toggle("sk-faint", faint);
    }
    info.show(state.details?.[chosen]);
  }

  function choose(key) {
    chosen = key === chosen ? null : key;
    mark();
    const node = picture.querySelector(`[data-key="${CSS.escape(chosen ?? "")}"]`);
    node?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function step(by) {
    const keys = Object.keys(state.details || {});
    if (!keys.length) return;
    const index = chosen in state.details ? keys.indexOf(chosen) + by : by > 0 ? 0 : keys.length - 1;
    const next = keys[Math.min(keys.length - 1, Math.max(0, index))];
    if (next !== chosen) choose(next);
  }

  picture.addEventListener("click", (event) => {
    const { key, group: member } = event.target.dataset;
    if (key !== undefined) choose(key);
    else { group = member === undefined || member === group ? null : member; mark(); }
  });
  box.addEventListener("keydown", (event) => {
    const actions = {
      ArrowDown: () => step(1), ArrowUp: () => step(-1), Escape: () => { group = null; choose(chosen); },
      "+": () => setZoom(zoom * 1.25), "-": () => setZoom(zoom / 1.25),
    };
    if (!(event.key in actions)) return;
    actions[event.key]();
    event.preventDefault();
    event.stopPropagation();
  });
  const following = follow(model, el, draw);
  return following.stop;
}

export default { render };
