// What Gradio's components cannot do by themselves: the keyboard shortcut, dropping files anywhere, copying results.
(() => {
  const byId = (id) => document.getElementById(id);

  // Gradio names the browser's language; this page has its own.
  const root = document.documentElement;
  const language = root.lang;
  new MutationObserver(() => { if (root.lang !== language) root.lang = language; }).observe(root, { attributeFilter: ["lang"] });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      byId("viner-run")?.click();
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".viner-again")) byId("viner-run")?.click();
    const copier = event.target.closest?.(".viner-copier");
    if (copier) write(copier.dataset.text).then(() => confirm(copier, copier.dataset.copied));
  });

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("viner-dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("viner-dropping");
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("viner-dropping");
    const input = document.querySelector(':is(#viner-input, #viner-add) input[type="file"]');
    if (!input) return; // the page is still being drawn
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);

  const write = async (text) => {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return;
      } catch {
        // Denied within a frame: the old way still works there.
      }
    }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  // Says on a button for a moment that it did what it says.
  const confirm = (button, done) => {
    button.dataset.done = done;
    setTimeout(() => delete button.dataset.done, 1500);
  };

  window.viner = {
    // On a narrow screen the result lies below the text: bring it into sight.
    reveal() {
      const output = byId("viner-output");
      if (output.getBoundingClientRect().top > window.innerHeight * 0.6) output.scrollIntoView({ block: "start" });
    },

    // Saves a file that was just written for this page; none was, when its result is gone.
    async saveFile(file) {
      if (!file) return;
      const answer = await fetch(file.url);
      if (!answer.ok) return;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = file.path.split(/[/\\]/).pop();
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },

    // Copies such a file, and says so on the button for a moment.
    async copyFile(file, buttonId, done) {
      if (!file) return;
      const answer = await fetch(file.url);
      if (!answer.ok) return;
      await write(await answer.text());
      confirm(byId(buttonId), done);
    },
  };
})();
