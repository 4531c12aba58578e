// What every view shares. Text from the network is only ever set as text: no innerHTML in here.

const SVG_SPACE = "http://www.w3.org/2000/svg";

// element("td", { class: "name", text: "Ada" }, child, …)
function element(tag, options = {}, ...children) {
  return fill(document.createElement(tag), options, children);
}

function shape(tag, options = {}, ...children) {
  return fill(document.createElementNS(SVG_SPACE, tag), options, children);
}

function fill(node, { text, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  if (text !== undefined) node.textContent = text;
  node.append(...children);
  return node;
}

function button(text, label, onclick) {
  const node = element("button", { type: "button", class: "sk-button", text, title: label });
  node.setAttribute("aria-label", label);
  node.addEventListener("click", onclick);
  return node;
}

// A button that is in or out: Pause. `changed` hears true or false.
function toggle(text, label, changed) {
  const node = button(text, label, () => {
    const pressed = node.getAttribute("aria-pressed") !== "true";
    node.setAttribute("aria-pressed", pressed);
    changed(pressed);
  });
  node.setAttribute("aria-pressed", "false");
  return node;
}

// Set text only where it differs: a page repaints what is written, even if it is the same.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Draw now, and once a frame while the state changes, but only what is in sight and not paused:
// what came meanwhile is drawn after. Returns the function that ends it, and the one that pauses.
function follow(model, node, draw) {
  let stale = false;
  let paused = false;
  let inSight = true;
  let frame = null;
  const paint = () => {
    frame = null;
    if (!stale || paused || !inSight) return;
    stale = false;
    draw(JSON.parse(model.get("state")));
  };
  const wake = () => { frame ??= requestAnimationFrame(paint); };
  const changed = () => { stale = true; wake(); };
  const sight = new IntersectionObserver((entries) => {
    inSight = entries.at(-1).isIntersecting;
    wake();
  });
  model.on("change:state", changed);
  sight.observe(node);
  draw(JSON.parse(model.get("state")));
  return {
    pause: (on) => { paused = on; wake(); },
    stop: () => { model.off("change:state", changed); sight.disconnect(); cancelAnimationFrame(frame); },
  };
}

// What a click shows: rows of a label and a value.
function details() {
  const list = element("dl", { class: "sk-details" });
  list.hidden = true;
  list.setAttribute("aria-live", "polite");
  const show = (pairs) => {
    list.hidden = !pairs;
    list.replaceChildren(...(pairs || []).map(([label, value]) =>
      element("div", {}, element("dt", { text: label }), element("dd", { text: value }))));
  };
  return { node: list, show };
}
