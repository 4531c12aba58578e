// What the tests ask an open notebook's page, in JupyterLab and in Notebook 7.
window.lesson = {
  panel() {
    const widgets = window.jupyterapp ? [...window.jupyterapp.shell.widgets("main")] : [];
    return widgets.find((widget) => widget.content?.model?.cells && widget.sessionContext);
  },
  async open(path) {
    await window.jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
  },
  close() {
    const widgets = window.jupyterapp ? [...window.jupyterapp.shell.widgets("main")] : [];
    widgets.forEach((widget) => widget.dispose());
  },
  kernel: () => window.lesson.panel()?.sessionContext.session?.kernel,
  code: () => [...window.lesson.panel().content.model.cells].filter(
    (cell) => cell.type === "code" && cell.sharedModel.source.trim()),
  // A cell by its place among all cells, or by a piece of its code.
  cell: (place) => typeof place === "number"
    ? window.lesson.panel().content.model.cells.get(place)
    : window.lesson.code().find((cell) => cell.sharedModel.source.includes(place)),
  shown: (place) => window.lesson.cell(place).outputs.toJSON()
    .map((output) => [output.text ?? output.data?.["text/plain"] ?? ""].flat().join("")).join(""),
  outputs: () => window.lesson.code().flatMap((cell) => cell.outputs.toJSON()),

  ready() {
    const panel = window.lesson.panel();
    return Boolean(panel?.context.isReady && panel.sessionContext.isReady
      && window.lesson.kernel()?.status === "idle");
  },
  run() {
    window.jupyterapp.shell.activateById(window.lesson.panel().id);
    window.jupyterapp.commands.execute("notebook:run-all-cells"); // its promise ends with the cells
  },
  started: () => window.lesson.code().some(
    (cell) => cell.executionCount || cell.sharedModel.executionState === "running"),
  // A kernel with subshells says that it is idle after each click, whatever the cell does.
  done: () => window.lesson.kernel().status === "idle" && !window.lesson.running()
    && (window.lesson.errors().length > 0 || window.lesson.code().every((cell) => cell.executionCount)),
  // Run one cell, as Shift+Enter does; returns the count it had before.
  runCell(place) {
    const cell = window.lesson.cell(place), notebook = window.lesson.panel().content;
    notebook.activeCellIndex = notebook.widgets.findIndex((widget) => widget.model === cell);
    notebook.deselectAll();
    window.jupyterapp.commands.execute("notebook:run-cell");
    return cell.executionCount;
  },
  hasRun: ([place, before]) => window.lesson.kernel().status === "idle"
    && !window.lesson.running() && window.lesson.cell(place).executionCount > before,
  // What a reader would complain of in the outputs.
  flaws() {
    const flaws = [];
    const outputs = document.querySelectorAll(".jp-Notebook .jp-OutputArea-output");
    const missing = window.lesson.outputs().length - outputs.length;
    if (missing) flaws.push(`${missing} outputs that are not drawn`);
    for (const output of outputs) {
      const text = output.textContent;
      if (/Error displaying|Loading widget|model not found|avascript Error/.test(text))
        flaws.push(text.slice(0, 200));
      if (output.scrollWidth > output.clientWidth + 1)
        flaws.push(`${output.scrollWidth - output.clientWidth} pixels too wide: ${text.slice(0, 80)}`);
      for (const picture of output.querySelectorAll("img"))
        if (!picture.complete || !picture.naturalWidth) flaws.push("a picture that is not drawn");
    }
    return flaws;
  },
  errors: () => window.lesson.outputs().filter((output) => output.output_type === "error")
    .map((output) => `${output.ename}: ${output.evalue}`),
  // JupyterLab asks for a subshell when the first widget is there; clicks before that wait as ever.
  async subshells() {
    const kernel = window.lesson.kernel();
    if (!kernel.supportsSubshells) return false;
    await Promise.all([...kernel._comms.values()].map((comm) => comm.subshellStarted));
    return true;
  },
  withoutSubshell: () => {
    window.lesson.kernel().requestCreateSubshell = () => ({ done: new Promise(() => {}) });
  },
  running: () => window.lesson.code().some(
    (cell) => cell.sharedModel.executionState === "running"),
  // Run code without a cell; returns its value as text. A raised exception becomes an Error.
  async execute(code) {
    const future = window.lesson.kernel().requestExecute({ code, stop_on_error: false });
    let value = "";
    future.onIOPub = ({ content }) => { value = content.data?.["text/plain"] ?? value; };
    const { content } = await future.done;
    if (content.status !== "ok") throw new Error(`${content.ename}: ${content.evalue}`);
    return value;
  },
  async theme(name) {
    await window.jupyterapp.commands.execute("apputils:change-theme", { theme: name });
  },
};
