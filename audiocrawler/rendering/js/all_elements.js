// Every element of a tree, those of open shadow trees included.
const all = function* (root) {
  for (const each of root.querySelectorAll("*")) {
    yield each;
    if (each.shadowRoot) yield* all(each.shadowRoot);
  }
};
