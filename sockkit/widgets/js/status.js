// The line on top of a panel: what state it is in, the last error, and, when a click is not answered,
// why. It also brings the panel's style.

const PATIENCE = 1000; // milliseconds until a click that was not answered is explained
const BUSY = "The kernel is running a cell and answers no widget meanwhile: "
  + "your click is kept, and done when the cell ends.";
const LOST = "The kernel that this panel belonged to is gone: run the cell again.";

function render({ model, el }) {
  const lamp = element("span", { class: "sk-lamp", "aria-hidden": "true" });
  const text = element("span", { class: "sk-status-text", role: "status" });
  const error = element("p", { class: "sk-error", role: "alert" });
  const busy = element("p", { class: "sk-busy", role: "status" });
  const lost = element("span", { class: "sk-lost", role: "alert", text: LOST }); // style.css shows it
  const title = element("strong", { class: "sk-title" });
  el.append(element("div", { class: "sockkit sk-status" },
    element("div", { class: "sk-bar" }, title, lamp, text, lost, error), busy));

  function draw(state) {
    write(title, model.get("label"));
    write(text, state.text || "");
    lamp.className = `sk-lamp sk-lamp-${state.lamp}`;
    write(error, state.error || "");
    error.hidden = !state.error;
  }

  // Before each click: what is in the text fields now, because ipywidgets may send a click before
  // the last letters. The answer comes the way the answer to the click comes.
  let waiting = null;
  function asked() {
    if (panel.classList.contains("jupyter-widgets-disconnected")) return;
    const inputs = [...panel.querySelectorAll("input[type=text]")].filter((input) => input.labels[0]);
    const fields = inputs.map((input) => [input.labels[0].textContent, input.value]);
    model.send({ fields: Object.fromEntries(fields) });
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
    panel?.addEventListener("click", clicked, true); // before the button itself hears of it
    panel?.addEventListener("keydown", entered, true);
  });
  busy.hidden = true;
  model.on("msg:custom", answered);
  const following = follow(model, el, draw);
  return () => {
    following.stop();
    model.off("msg:custom", answered);
    clearTimeout(mounted);
    clearTimeout(waiting);
    panel?.removeEventListener("click", clicked, true);
    panel?.removeEventListener("keydown", entered, true);
  };
}

export default { render };
