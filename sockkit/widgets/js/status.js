// The line on top of a panel: what state it is in, the last error, and, when a click is not answered,
// why. It also brings the panel's style.

const PATIENCE = 1000; // milliseconds until a click that was not answered is explained
const BUSY = "The kernel is running a cell and answers no widget meanwhile: "
  + "your click is kept, and done when the cell ends.";

function render({ model, el }) {
  const lamp = element("span", { class: "sk-lamp", "aria-hidden": "true" });
  const text = element("span", { class: "sk-status-text", role: "status" });
  const error = element("p", { class: "sk-error", role: "alert" });
  const busy = element("p", { class: "sk-busy", role: "status" });
  const title = element("strong", { class: "sk-title" });
  el.append(element("div", { class: "sockkit sk-status" },
    element("div", { class: "sk-bar" }, title, lamp, text), error, busy));

  function draw(state) {
    write(title, model.get("label"));
    write(text, state.text || "");
    lamp.className = `sk-lamp sk-lamp-${state.lamp}`;
    write(error, state.error || "");
    error.hidden = !state.error;
  }

  // Ask whether anybody answers; the answer comes on the same way as that to the click.
  let waiting = null;
  function asked() {
    model.send({ kind: "ping" });
    waiting ??= setTimeout(() => { write(busy, BUSY); busy.hidden = false; }, PATIENCE);
  }
  function answered() {
    clearTimeout(waiting);
    waiting = null;
    busy.hidden = true;
  }
  function clicked(event) {
    const pressed = event.target.closest("button");
    if (pressed && !el.contains(pressed) && !pressed.classList.contains("sk-button")) asked();
  }
  // After Enter the text is selected: the next letter replaces it, Enter sends it once more.
  function entered(event) {
    if (event.key === "Enter" && event.target.matches?.("input")) {
      asked();
      setTimeout(() => event.target.select());
    }
  }

  let panel = null;
  const mounted = setTimeout(() => {
    panel = el.closest(".sockkit-panel");
    panel?.addEventListener("click", clicked);
    panel?.addEventListener("keydown", entered);
  });
  busy.hidden = true;
  model.on("msg:custom", answered);
  const following = follow(model, draw);
  return () => {
    following.stop();
    model.off("msg:custom", answered);
    clearTimeout(mounted);
    clearTimeout(waiting);
    panel?.removeEventListener("click", clicked);
    panel?.removeEventListener("keydown", entered);
  };
}

export default { render };
