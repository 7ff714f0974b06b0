// Shows openapi.json, which comes from the same server, and loads nothing else. Text from
// the description becomes text nodes only, never markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let description;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

// The thing that a {"$ref": "#/a/b"} stands for.
function follow(thing) {
  while (thing && thing.$ref)
    thing = thing.$ref.slice(2).split("/").reduce((at, key) => at[key], description);
  return thing || {};
}

function nameOf(thing) {
  return thing && thing.$ref ? thing.$ref.split("/").pop() : "";
}

function typeOf(schema) {
  const name = nameOf(schema);
  const s = follow(schema);
  if (name) return name;
  if (s.oneOf) return s.oneOf.map(typeOf).join(" or ");
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(" | ");
  if (s.type === "array") return "array of " + typeOf(s.items);
  const type = Array.isArray(s.type) ? s.type.join(" or ") : s.type || "any";
  return s.format ? type + " (" + s.format + ")" : type;
}

function bounds(schema) {
  const s = follow(schema);
  const words = [];
  for (const key of ["default", "minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern"])
    if (s[key] !== undefined) words.push(key + " " + s[key]);
  return words.join(", ");
}

function row(name, type, text) {
  return element("tr", null, element("td", null, name), element("td", null, type), element("td", null, text));
}

// The members of an object, those of objects in it behind a dot.
function members(schema, prefix, rows, depth) {
  const s = follow(schema);
  if (s.type === "array" || (Array.isArray(s.type) && s.items)) return members(s.items, prefix + "[].", rows, depth + 1);
  for (const [name, member] of Object.entries(s.properties || {})) {
    const inner = follow(member);
    const must = (s.required || []).includes(name) ? "" : "optional. ";
    const text = [must + (member.description || inner.description || ""), bounds(member)].filter((t) => t).join(" · ");
    rows.push(row(prefix + name, typeOf(member), text));
    if (depth < 4) {
      const next = (inner.oneOf || []).find((one) => follow(one).properties) || inner;
      if (follow(next).properties || follow(next).items) members(next, prefix + name + ".", rows, depth + 1);
    }
  }
  return rows;
}

function shape(schema) {
  const rows = members(schema, "", [], 0);
  return rows.length ? element("table", null, ...rows) : null;
}

function body(content) {
  const parts = [];
  for (const [media, of] of Object.entries(content || {})) {
    parts.push(element("div", null, media + (nameOf(of.schema) ? ": " + nameOf(of.schema) : "")));
    parts.push(shape(of.schema));
    if (of.example !== undefined) parts.push(element("pre", null, JSON.stringify(of.example, null, 2)));
  }
  return parts;
}

function call(path, method, operation, shared) {
  const box = element("section", { id: operation.operationId });
  box.append(element("h3", null, element("span", { class: "method" }, method.toUpperCase()), " " + path));
  box.append(element("p", null, operation.summary, operation.description ? " " + operation.description : ""));
  box.append(element("div", { class: "roles" }, "for: " + (operation["x-weft-access"] || []).join(", ")));
  const parameters = [...(shared || []), ...(operation.parameters || [])].map(follow);
  if (parameters.length) {
    box.append(element("h4", null, "Parameters"));
    box.append(element("table", null, ...parameters.map((p) =>
      row(p.name + " (" + p.in + ")", typeOf(p.schema), [p.description, bounds(p.schema)].filter((t) => t).join(" · ")))));
  }
  if (operation.requestBody) box.append(element("h4", null, "Body"), ...body(operation.requestBody.content));
  box.append(element("h4", null, "Answers"));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const a = follow(answer);
    box.append(element("div", null, element("b", null, status), " " + a.description));
    if (status < "300") box.append(...body(a.content).filter((part) => part));
  }
  return box;
}

function show() {
  const index = document.getElementById("index");
  const calls = document.getElementById("calls");
  document.getElementById("title").textContent = description.info.title;
  document.getElementById("about").textContent = description.info.description;
  index.replaceChildren();
  calls.replaceChildren();
  for (const tag of description.tags) {
    index.append(element("h2", null, tag.name));
    for (const [path, item] of Object.entries(description.paths))
      for (const method of METHODS) {
        const operation = item[method];
        if (!operation || !operation.tags.includes(tag.name)) continue;
        index.append(element("a", { href: "#" + operation.operationId, title: method.toUpperCase() + " " + path }, operation.summary));
        calls.append(call(path, method, operation, item.parameters));
      }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function find(event) {
  const wanted = event.target.value.toLowerCase();
  for (const box of document.querySelectorAll("main section")) {
    const hit = box.textContent.toLowerCase().includes(wanted);
    box.classList.toggle("hidden", !hit);
    document.querySelector('nav a[href="#' + box.id + '"]').classList.toggle("hidden", !hit);
  }
}

document.getElementById("find").addEventListener("input", find);
fetch("openapi.json").then((answer) => answer.json()).then((json) => { description = json; show(); })
  .catch((error) => { document.getElementById("calls").textContent = "openapi.json cannot be shown: " + error; });
