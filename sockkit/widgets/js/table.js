// The client table: thousands of rows, of which only those in sight are in the page.

const ROW = 26; // pixels; style.css says so too
const HEIGHT = 300; // pixels at most, as in style.css
const MARGIN = 4; // rows drawn beyond what is in sight

function render({ model, el }) {
  const caption = element("span", { class: "sk-caption" });
  const info = details();
  const pause = toggle("Pause", "Pause this table", (on) => following.pause(on));
  const head = element("thead");
  const body = element("tbody");
  const table = element("table", { role: "grid", tabindex: 0 }, head, body);
  const empty = element("p", { class: "sk-empty" });
  const box = element("div", { class: "sk-scroll sk-rows" }, table, empty);
  const root = element("div", { class: "sockkit" },
    element("div", { class: "sk-bar" }, caption, pause), box, info.node);
  el.append(root);

  let state = { columns: [], rows: [], caption: "", empty: "" };
  const selected = () => model.get("selected");
  const indexOf = (number) => state.rows.findIndex((row) => Number(row[0]) === number);

  function draw(next) {
    if (!next.rows) return; // nothing was sent yet
    state = next;
    table.setAttribute("aria-label", model.get("label"));
    table.setAttribute("aria-rowcount", state.rows.length + 1);
    write(caption, state.caption);
    write(empty, state.empty);
    empty.hidden = state.rows.length > 0;
    if (head.dataset.columns !== state.columns.join()) drawHead();
    drawRows();
  }

  function drawHead() {
    head.dataset.columns = state.columns.join();
    const cells = state.columns.map((name, i) =>
      element("th", { scope: "col", text: name, class: state.numeric[i] ? "sk-number" : "" }));
    head.replaceChildren(element("tr", { "aria-rowindex": 1 }, ...cells));
  }

  function drawRows() {
    const inSight = Math.ceil(HEIGHT / ROW);
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - MARGIN);
    const rows = state.rows.slice(first, first + inSight + 2 * MARGIN);
    while (body.children.length > rows.length) body.lastChild.remove();
    while (body.children.length < rows.length) body.append(newRow());
    rows.forEach((row, i) => drawRow(body.children[i], row, first + i));
    // The rows that are not drawn are margins, so that the scroll bar tells the truth.
    table.style.marginTop = `${first * ROW}px`;
    table.style.marginBottom = `${(state.rows.length - first - rows.length) * ROW}px`;
    drawDetails();
  }

  function newRow() {
    return element("tr", {}, ...state.columns.map((_, i) =>
      element("td", { role: "gridcell", class: state.numeric[i] ? "sk-number" : "" })));
  }

  function drawRow(line, row, index) {
    const here = Number(row[0]) === selected();
    line.id = `${el.id || (el.id = `sk${Math.random().toString(36).slice(2)}`)}-${row[0]}`;
    line.setAttribute("aria-rowindex", index + 2);
    line.setAttribute("aria-selected", here);
    line.dataset.number = row[0];
    line.className = row[row.length - 1] === "connected" ? "" : "sk-gone";
    row.forEach((text, i) => {
      write(line.children[i], text);
      line.children[i].title = text.length > 12 ? text : "";
    });
    if (here) table.setAttribute("aria-activedescendant", line.id);
  }

  function drawDetails() {
    const row = state.rows[indexOf(selected())];
    info.show(row && state.columns.map((name, i) => [name, row[i] || "–"]));
  }

  function select(number) {
    model.set("selected", number);
    model.save_changes();
    drawRows();
  }

  function step(by) {
    const last = state.rows.length - 1;
    if (last < 0) return;
    const index = Math.min(last, Math.max(0, indexOf(selected()) + by));
    const top = index * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + 2 * ROW > box.scrollTop + box.clientHeight) {
      box.scrollTop = top + 2 * ROW - box.clientHeight;
    }
    select(Number(state.rows[index][0]));
  }

  body.addEventListener("click", (event) => {
    const number = Number(event.target.closest("tr")?.dataset.number);
    if (number) select(number === selected() ? 0 : number);
  });
  table.addEventListener("keydown", (event) => {
    const keys = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
    if (event.key === "Escape") select(0);
    else if (event.key in keys) step(keys[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("scroll", () => requestAnimationFrame(drawRows));
  model.on("change:selected", drawRows);
  const following = follow(model, el, draw);
  return () => { following.stop(); model.off("change:selected", drawRows); };
}

export default { render };
