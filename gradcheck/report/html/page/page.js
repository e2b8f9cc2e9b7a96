// The list, its filter, the address of a case, and the appearance.

const list = document.getElementById("list");
const links = [...list.querySelectorAll("a")];
const place = document.getElementById("case");
const form = document.getElementById("filter");
const words = document.getElementById("words");
const byId = new Map(links.map((link) => [addressOf(link), link]));

/** The id of a case: what its link leads to. */
function addressOf(link) {
  return decodeURIComponent(link.hash.slice(1));
}

function open(link, jump) {
  for (const each of list.querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  reach(link);
  place.replaceChildren(...caseOpened(link.dataset.case));
  for (const each of HeatMap.shown) each.draw(); // now that there is a width to draw in
  bring(link);
  if (jump) {
    const title = place.querySelector("h2");
    title.focus({ preventScroll: true });
    place.scrollIntoView({ block: "start" });
  }
}

/** Of all links only one can be reached by Tab; arrow keys go on from there. */
function reach(link) {
  for (const each of links) each.tabIndex = each === link ? 0 : -1;
}

/** Scroll the list, and nothing but the list, until the link is seen. */
function bring(link) {
  const bottom = link.offsetTop + link.offsetHeight;
  list.scrollTop = Math.min(Math.max(list.scrollTop, bottom - list.clientHeight), link.offsetTop);
}

function visible() {
  return links.filter((link) => !link.parentElement.hidden);
}

function filter() {
  const wanted = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
  const parts = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const link of links) {
    const text = `${addressOf(link)} ${link.dataset.word} ${link.dataset.tags}`.toLowerCase();
    link.parentElement.hidden = !wanted.has(link.dataset.word) || !parts.every((part) => text.includes(part));
  }
  const left = visible();
  document.getElementById("shown").textContent = `${left.length} of ${links.length} cases`;
  if (left.length && !left.some((link) => link.tabIndex === 0)) reach(left[0]);
}

function move(event) {
  const left = visible();
  const at = left.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: left.length - 1 }[event.key];
  if (to === undefined || !left[to]) return;
  event.preventDefault();
  reach(left[to]);
  left[to].focus();
}

function addressed() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    return null; // typed by hand, and no address of ours
  }
  return byId.get(id) ?? null;
}

const appearance = document.getElementById("appearance");

function appear(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const each of HeatMap.shown) each.draw();
}

for (const each of document.querySelectorAll(".causes .prose")) each.replaceChildren(...prose(each.textContent));
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
list.addEventListener("keydown", move);
words.addEventListener("keydown", (event) => event.key === "ArrowDown" && move(event));
window.addEventListener("hashchange", () => {
  const link = addressed();
  if (link) open(link, true);
});
window.addEventListener("resize", () => HeatMap.shown.forEach((each) => each.draw()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => appear(appearance.value));
appearance.addEventListener("change", () => appear(appearance.value));
appear(appearance.value); // a browser may keep what was chosen when the page is loaded again
filter();
if (links.length) open(addressed() ?? links[0], addressed() !== null);
else place.remove();
