"use strict";
document.documentElement.classList.add("live");

for (const figure of document.querySelectorAll(".viewer")) {
  const stage = figure.querySelector(".stage");
  const sheet = figure.querySelector(".sheet");
  const after = figure.querySelector("img.after");
  const befores = [...figure.querySelectorAll("img.before")];
  const label = figure.querySelector(".label.before");
  const slide = figure.querySelector(".slide");
  const zoom = figure.querySelector(".zoom");
  const zoomed = () => figure.classList.contains("zoomed");

  // The line stands at a share of what is seen, so that it stays in view while the picture is panned.
  function draw() {
    if (!slide) return;
    const seen = Math.min(stage.clientWidth, sheet.clientWidth);
    const from = zoomed() ? stage.scrollLeft : 0;
    sheet.style.setProperty("--cut", `${from + (seen * slide.value) / 100}px`);
    const height = Math.min(stage.clientHeight, sheet.clientHeight);
    sheet.style.setProperty("--middle", `${(zoomed() ? stage.scrollTop : 0) + height / 2}px`);
    slide.setAttribute("aria-valuetext", `${slide.value} % ${label.textContent}`);
  }

  function moveTo(clientX) {
    const box = zoomed() ? stage.getBoundingClientRect() : sheet.getBoundingClientRect();
    const share = (clientX - box.left) / Math.min(box.width, zoomed() ? stage.clientWidth : box.width);
    slide.value = Math.round(Math.min(Math.max(share, 0), 1) * 100);
    draw();
  }

  // Full size: a pixel of the picture on a pixel of the screen. The point (x, y) of the window stays where it is.
  function setZoom(on, x, y) {
    const box = sheet.getBoundingClientRect();
    const stageBox = stage.getBoundingClientRect();
    const [left, top] = [x ?? stageBox.left + stageBox.width / 2, y ?? stageBox.top + stageBox.height / 2];
    const [across, down] = [(left - box.left) / box.width, (top - box.top) / box.height];
    sheet.style.setProperty("--full", `${after.naturalWidth / window.devicePixelRatio}px`);
    figure.classList.toggle("zoomed", on);
    zoom.setAttribute("aria-pressed", on);
    if (on) {
      stage.tabIndex = 0;
      stage.scrollLeft = across * sheet.clientWidth - (left - stageBox.left);
      stage.scrollTop = down * sheet.clientHeight - (top - stageBox.top);
    } else {
      stage.removeAttribute("tabindex");
      stage.scrollTo(0, 0);
    }
    draw();
  }

  let sliding = false;
  let panning = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const grip = event.target.closest(".grip");
    if (slide && (grip || !zoomed())) {
      sliding = true;
      moveTo(event.clientX);
    } else if (zoomed() && event.pointerType === "mouse") {
      panning = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
      stage.classList.add("panning");
    } else return;
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (sliding) moveTo(event.clientX);
    if (panning) stage.scrollTo({ left: panning.x - event.clientX, top: panning.y - event.clientY, behavior: "instant" });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, () => {
      sliding = false;
      panning = null;
      stage.classList.remove("panning");
    });
  }
  stage.addEventListener("dblclick", (event) => setZoom(!zoomed(), event.clientX, event.clientY));
  stage.addEventListener("scroll", draw);
  zoom.addEventListener("click", () => setZoom(!zoomed()));
  for (const choice of figure.querySelectorAll(".choice input")) {
    choice.addEventListener("change", () => {
      befores.forEach((image, place) => image.classList.toggle("other", place !== Number(choice.value)));
      label.textContent = befores[Number(choice.value)].dataset.name;
      slide.setAttribute("aria-label", `Line between ${label.textContent} and ${after.dataset.name}`);
      draw();
    });
  }
  if (slide) slide.addEventListener("input", draw);
  window.addEventListener("resize", draw);
  new ResizeObserver(draw).observe(sheet);
  draw();
}

// On paper everything is open.
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
