// dom.js - elements out of names, properties and children.
//
// The one way by which the console makes elements. A text becomes a text node, whatever is
// in it: names of topics, groups and clients are a stranger's, and never read as markup.

const SVG = "http://www.w3.org/2000/svg";

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "value" || name === "checked") element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) set(element, name, value);
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

// h("button", {class: "quiet", onclick: go}, "Go"); null and false are left away.
export function h(name, props, ...children) {
  return fill(document.createElement(name), props, children);
}

// The same for parts of a picture.
export function svg(name, props, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

// Put CHILDREN in the place of what ELEMENT holds.
export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

// Change a text only when it differs: what has not changed is not read out again.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let serial = 0;

// An id that no other element has.
export function freshId(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}
