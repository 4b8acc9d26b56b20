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

  // Gradio's lists take any key for a search: Tab opened the list again that it had just left, filtered by its own value.
  const searched = new Set(["ArrowUp", "ArrowDown", "Home", "End", "Enter", "Escape"]);
  const silent = new Set(["Tab", "Shift", "Control", "Alt", "Meta"]);
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  window.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement)) return;
    if (field.getAttribute("role") === "combobox" && (silent.has(event.key) || (field.readOnly && !searched.has(event.key))))
      event.stopImmediatePropagation();
    // The radios of a group have no name in common, by which the browser would know that arrows lead from one to the next.
    if (field.type === "radio" && event.key in steps && !event.ctrlKey && !event.altKey && !event.metaKey) {
      const group = [...(field.closest("fieldset")?.querySelectorAll("input[type=radio]:enabled") ?? [])];
      const next = group[(group.indexOf(field) + steps[event.key] + group.length) % group.length];
      if (!next || next === field) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      next.focus();
      next.click();
    }
  }, true);

  // A button that takes itself out of use, as Stop does, hands the focus to the next one in its row.
  let used = null;
  document.addEventListener("focusin", (event) => { used = event.target; });
  const handOver = (button, tries = 10) => {
    if (!button.disabled || (document.activeElement !== document.body && document.activeElement !== button)) return;
    const row = [...(button.closest(".row")?.querySelectorAll("button") ?? [])];
    const place = row.indexOf(button);
    const next = [...row.slice(place + 1), ...row.slice(0, place).reverse()].find((other) => !other.disabled);
    if (next) next.focus();
    else if (tries > 0) setTimeout(() => handOver(button, tries - 1), 50);
  };
  new MutationObserver((changes) => {
    if (changes.some((change) => change.target === used && used.disabled)) setTimeout(handOver, 0, used);
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["disabled"] });

  // How many fields of a kind were there when one was last added.
  const counted = {};

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

    // Moves the focus into the field that is drawn as one more of its kind; at first there is one.
    focusAdded(prefix, tries = 100) {
      const drawn = [...document.querySelectorAll(`[id^="${prefix}"]`)].filter((element) => element.offsetParent !== null);
      if (drawn.length > (counted[prefix] ?? 1)) {
        counted[prefix] = drawn.length;
        drawn.at(-1).querySelector("input, textarea").focus();
      } else if (tries > 0) setTimeout(() => viner.focusAdded(prefix, tries - 1), 50);
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
