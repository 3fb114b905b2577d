// Draws the figures that stand in the page as JSON. No request leaves the page.
(function () {
  "use strict";
  var touch = window.matchMedia("(pointer: coarse)").matches;
  var narrow = window.matchMedia("(max-width: 600px)");

  function set(layout, path, value) {
    var parts = path.split("."), leaf = parts.pop(), place = layout;
    parts.forEach(function (part) { place = place[part] = place[part] || {}; });
    place[leaf] = value;
  }

  function draw(element) {
    var figure = JSON.parse(element.querySelector("script").textContent);
    var layout = figure.layout, changes = (layout.meta || {}).narrow || {};
    if (narrow.matches) {
      Object.keys(changes).forEach(function (path) { set(layout, path, changes[path]); });
      layout.font.size = 12;
    }
    if (touch) {  // a finger on a figure scrolls the page
      layout.dragmode = false;
      Object.keys(layout).filter(function (key) { return /^[xy]axis/.test(key); })
        .forEach(function (key) { layout[key].fixedrange = true; });
    }
    var place = element.querySelector(".plot");
    if (layout.meta && layout.meta.width) { place.style.maxWidth = layout.meta.width + "px"; }
    window.Plotly.newPlot(place, figure.data, layout,
      { displayModeBar: false, responsive: true, doubleClick: "reset" });
  }

  function drawAll() {
    document.querySelectorAll(".figure").forEach(function (element) {
      element.querySelector(".plot").replaceChildren();
      try { draw(element); } catch (error) { element.querySelector(".plot").textContent = "This figure could not be drawn: " + error; }
    });
  }

  drawAll();
  narrow.addEventListener("change", drawAll);
  var closed = [];
  window.addEventListener("beforeprint", function () {  // paper has no folds
    closed = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    closed.forEach(function (element) { element.open = true; });
  });
  window.addEventListener("afterprint", function () {
    closed.forEach(function (element) { element.open = false; });
  });
})();
