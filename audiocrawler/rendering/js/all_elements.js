// Yield every element of a tree, including open shadow trees.
const all = function* (root) {
  for (const each of root.querySelectorAll("*")) {
    yield each;
    if (each.shadowRoot) yield* all(each.shadowRoot);
  }
};
