// The panel: legend that is also the filter, layer chips, grid list, the sheet of a phone.

export function startLegend(root, { onTiers, onCases }) {
  const boxes = (name) => [...root.querySelectorAll(`input[name="${name}"]`)];
  const shown = (name) => boxes(name).filter((box) => box.checked);
  const tell = (name) => {
    const sum = shown(name).reduce((total, box) => total + Number(box.dataset.count), 0);
    const output = root.querySelector(`output[name="${name}"]`);
    if (output) output.value = sum;
  };
  for (const box of boxes("tier")) {
    box.addEventListener("change", () => {
      onTiers(new Set(boxes("tier").filter((other) => !other.checked).map((other) => other.value)));
      tell("tier");
    });
  }
  for (const box of boxes("case")) {
    box.addEventListener("change", () => {
      onCases(new Set(shown("case").map((other) => other.value)));
      tell("case");
    });
  }
}

export function startChips(root, onToggle) {
  for (const chip of root.querySelectorAll("button[data-overlay]")) {
    chip.addEventListener("click", () => {
      const isShown = chip.getAttribute("aria-pressed") !== "true";
      chip.setAttribute("aria-pressed", String(isShown));
      onToggle(chip.dataset.overlay, isShown);
    });
  }
}

export function startGridList(root, onPick) {
  for (const button of root.querySelectorAll("button[data-grid]")) {
    button.addEventListener("click", () => onPick(button.dataset.grid));
  }
  return (code) => {
    for (const button of root.querySelectorAll("button[data-grid]")) {
      button.closest("tr").setAttribute("aria-selected", String(button.dataset.grid === code));
    }
  };
}

export function startSheet(panel) {
  const handle = panel.querySelector(".sheet-handle");
  const set = (isOpen) => {
    panel.classList.toggle("is-open", isOpen);
    handle.setAttribute("aria-expanded", String(isOpen));
  };
  handle.addEventListener("click", () => set(!panel.classList.contains("is-open")));
  return { close: () => set(false) };
}
