// What the tests ask an open notebook's page, in JupyterLab and in Notebook 7.
window.lesson = {
  panel() {
    const widgets = window.jupyterapp ? [...window.jupyterapp.shell.widgets("main")] : [];
    return widgets.find((widget) => widget.content?.model?.cells && widget.sessionContext);
  },
  kernel: () => window.lesson.panel()?.sessionContext.session?.kernel,
  code: () => [...window.lesson.panel().content.model.cells].filter(
    (cell) => cell.type === "code" && cell.sharedModel.source.trim()),
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
  done: () => window.lesson.kernel().status === "idle"
    && (window.lesson.errors().length > 0 || window.lesson.code().every((cell) => cell.executionCount)),
  errors: () => window.lesson.outputs().filter((output) => output.output_type === "error")
    .map((output) => `${output.ename}: ${output.evalue}`),
  subshells: () => Boolean(window.lesson.kernel().supportsSubshells),
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
