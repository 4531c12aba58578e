// Lines of text, the newest last: what clients said, or what happened.

function render({ model, el }) {
  const caption = element("span", { class: "sk-caption" });
  const pause = toggle("Pause", "Pause", (on) => following.pause(on));
  const list = element("ol", { class: "sk-lines" });
  const box = element("div", { class: "sk-scroll sk-at-end sk-log", tabindex: 0, role: "log" }, list);
  el.append(element("div", { class: "sockkit" },
    element("div", { class: "sk-bar" }, caption, pause), box));

  function draw({ lines = [] }) {
    const label = model.get("label");
    write(caption, label);
    box.setAttribute("aria-label", label);
    pause.setAttribute("aria-label", `Pause: ${label}`);
    list.replaceChildren(...lines.map(([kind, time, text]) =>
      element("li", { class: `sk-line-${kind}` },
        element("time", { text: time }), element("span", { text }))));
  }

  const following = follow(model, el, draw);
  return following.stop;
}

export default { render };
