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
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!answer.ok || mine !== asked) return;
    const found = document.createElement("datalist");
    found.innerHTML = await answer.text();
    list.replaceChildren(...found.children);
  }
}
