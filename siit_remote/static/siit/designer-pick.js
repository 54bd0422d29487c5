// Suggestions for things chosen by name: the list under an input follows what is typed.

export function enhancePicks(root) {
  let timer = 0;
  let asked = 0;
  root.addEventListener("input", (event) => {
    const { target } = event;
    if (!("pick" in target.dataset)) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => suggest(target), 120);
  });

  async function suggest(input) {
    const list = input.list;
    if (!list) return;
    asked += 1;
    const mine = asked;
    const url = `${root.dataset.pick.replace("KIND", input.dataset.pick)}?q=${encodeURIComponent(input.value)}`;
    const words = await fetch(url, { headers: { "HX-Request": "true" } })
      .then((answer) => (answer.ok ? answer.text() : null))
      .catch(() => null); // out of reach: the first suggestions stay, and any name can be typed
    if (words === null || mine !== asked) return;
    const found = document.createElement("datalist");
    found.innerHTML = words;
    list.replaceChildren(...found.children);
  }
}
