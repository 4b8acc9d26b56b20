// The pages of a project: what stands in the address, which documents are selected, where the focus goes.
(() => {
  const byId = (id) => document.getElementById(id);

  // Gradio has one title for all pages; the header knows that of this one.
  const titled = new MutationObserver(() => {
    const title = document.querySelector(".viner-studio[data-title]")?.dataset.title;
    if (title && document.title !== title) document.title = title;
  });
  titled.observe(document.documentElement, { childList: true, subtree: true });

  // A click on a row's free space selects it, as its box does; shift selects all rows between.
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".viner-select");
    if (!box) return;
    const boxes = [...document.querySelectorAll(".viner-select")];
    if (event.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
    }
    last = box;
  });

  Object.assign(window.viner, {
    // Puts the filter into the address, without what says nothing.
    remember(values) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(values)) if (value || value === 0) query.set(name, value);
      const text = query.toString();
      history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : ""));
    },

    // Ids of the documents whose boxes are ticked.
    selected() {
      return [...document.querySelectorAll(".viner-select:checked")].map((box) => box.value);
    },

    // Moves the focus to what appears next, as soon as it is drawn and can be used.
    focus(id, tries = 20) {
      const element = byId(id);
      if (element && element.offsetParent !== null && !element.disabled) element.focus();
      else if (tries > 0) setTimeout(() => viner.focus(id, tries - 1), 50);
    },

    // Lets the browser save a file that was just written, however large it is.
    takeFile(file) {
      if (!file) return;
      const link = document.createElement("a");
      link.href = file.url;
      link.download = file.path.split(/[/\\]/).pop();
      link.click();
    },
  });
})();
