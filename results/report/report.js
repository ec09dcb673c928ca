// The two filters: what belongs to another dataset or score than the chosen one is hidden.
const filters = document.querySelector("#filters");
const choices = [...filters.querySelectorAll("select")];

function show() {
  for (const { name, value } of choices) {
    for (const element of document.querySelectorAll(`[data-${name}]`)) {
      element.classList.toggle(`other-${name}`, value !== "" && element.dataset[name] !== value);
    }
  }
  for (const section of document.querySelectorAll("main > section")) {
    const parts = [...section.querySelectorAll("[data-dataset], [data-metric]")];
    const hidden = parts.length > 0 && parts.every((part) => part.matches(".other-dataset, .other-metric"));
    section.classList.toggle("nothing", hidden);
  }
}

addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
filters.hidden = false;
filters.addEventListener("change", show);
for (const choice of choices) {
  if (choice.dataset.first) choice.value = choice.dataset.first;
}
show();
