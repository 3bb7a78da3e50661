// What a script adds: colours by choice, zoom and pointing on the time axis, search, copying.
// Nothing is written as HTML here: texts go through textContent, numbers through properties.
"use strict";
(() => {
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // a page from disk may have no storage
    }
  };
  const paint = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  paint(remembered());

  const themes = () => {
    const box = document.querySelector(".theme");
    box.hidden = false;
    for (const input of box.querySelectorAll("input")) {
      input.checked = input.value === (document.documentElement.dataset.theme ?? "auto");
      input.addEventListener("change", () => {
        paint(input.value);
        try {
          localStorage.setItem("theme", input.value);
        } catch {
          // it lasts as long as the page then
        }
      });
    }
  };

  const unfold = (element) => {
    for (let each = element; each; each = each.parentElement?.closest("details")) {
      if (each instanceof HTMLDetailsElement) each.open = true;
    }
  };
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    unfold(target.closest("details"));
    target.scrollIntoView();
  };

  const copying = () => {
    for (const button of document.querySelectorAll(".copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const code = button.parentElement.querySelector("code");
        let done = "Copied";
        try {
          await navigator.clipboard.writeText(code.textContent);
        } catch {
          getSelection().selectAllChildren(code);
          done = document.execCommand("copy") ? "Copied" : "Selected";
        }
        button.textContent = done;
        setTimeout(() => (button.textContent = "Copy"), 1500);
      });
    }
  };

  const finding = () => {
    const form = document.querySelector(".find");
    const rows = [...document.querySelectorAll(".runs tbody tr[id]")];
    if (!rows.length) return;
    form.hidden = false;
    let texts = null; // made when they are first asked for: a night has thousands
    const found = form.querySelector(".found");
    const sift = () => {
      texts ??= rows.map((row) => row.textContent.toLowerCase());
      const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const colours = [...form.querySelectorAll("[name=colour]:checked")].map((box) => box.value);
      let shown = 0;
      rows.forEach((row, place) => {
        const fits = words.every((word) => texts[place].includes(word));
        row.hidden = !(fits && colours.some((colour) => row.classList.contains(colour)));
        shown += !row.hidden;
      });
      found.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
    };
    form.addEventListener("input", sift);
    form.addEventListener("submit", (event) => event.preventDefault());
  };

  // One time axis. What is shown is [from, from + span], in seconds of the run.
  const axis = (figure) => {
    const length = Number(figure.dataset.length);
    const lanes = figure.querySelector(".lanes");
    const behind = figure.querySelector(".behind");
    const readout = figure.querySelector(".readout");
    const cursor = figure.querySelector(".cursor");
    const brush = figure.querySelector(".brush");
    const ruler = figure.querySelector(".ruler .track");
    const range = figure.querySelector(".range");
    const marks = [...figure.querySelectorAll("[data-detail]")];
    const start = (mark) => Number(mark.style.getPropertyValue("--a"));
    marks.sort((one, other) => start(one) - start(other));
    const curves = [...figure.querySelectorAll(".chart path")].map((path) => ({
      name: path.dataset.name,
      unit: path.ownerSVGElement.dataset.unit,
      top: Number(path.ownerSVGElement.dataset.top),
      points: (path.getAttribute("d").match(/-?\d+ -?\d+/g) ?? []).map((pair) => pair.split(" ").map(Number)),
    }));
    let from = 0;
    let span = length;
    let here = -1;

    const step = (most) => {
      const power = 10 ** Math.floor(Math.log10(span / most));
      return power * [1, 2, 5, 10].find((one) => one * power * most >= span);
    };
    const place = (parent, name, at, text = "") => {
      const made = document.createElement("i");
      made.className = name;
      made.style.setProperty("--a", at);
      made.textContent = text;
      parent.append(made);
    };
    const rule = () => {
      figure.querySelectorAll(".tick, .behind .line").forEach((each) => each.remove());
      const each = step(figure.clientWidth < 700 ? 5 : 10);
      for (let number = Math.ceil(from / each); number * each <= from + span; number += 1) {
        const at = Number((number * each).toPrecision(12));
        place(ruler, "tick", at, String(at));
        place(behind, "line", at);
      }
    };
    const show = (newFrom, newSpan) => {
      span = Math.min(length, Math.max(0.02, newSpan));
      from = Math.min(length - span, Math.max(0, newFrom));
      figure.style.setProperty("--from", from);
      figure.style.setProperty("--span", span);
      for (const svg of figure.querySelectorAll("svg[data-zoom]")) {
        svg.setAttribute("viewBox", `${from * 1000} 0 ${span * 1000} ${svg.dataset.zoom}`);
      }
      range.textContent = `${from.toFixed(2)} to ${(from + span).toFixed(2)} s`;
      rule();
    };
    const zoom = (factor, around = from + span / 2) => {
      const next = Math.min(length, Math.max(0.02, span * factor));
      show(around - ((around - from) * next) / span, next);
    };
    const values = (at) =>
      curves
        .filter((curve) => curve.points.length)
        .map((curve) => {
          const past = curve.points.filter(([ms]) => ms <= at * 1000).pop() ?? curve.points[0];
          const value = ((1000 - past[1]) / 1000) * curve.top;
          return `${curve.name} ${Number(value.toPrecision(3)).toLocaleString("en")} ${curve.unit}`;
        })
        .join(" · ");
    // The readout stands beside the hand: below it, or above where there is no room below.
    const beside = (x, y) => {
      const box = figure.getBoundingClientRect();
      const size = readout.getBoundingClientRect();
      const left = Math.min(x - box.left + 14, box.width - size.width);
      const below = y + 18 + size.height < innerHeight || y < size.height + 12;
      readout.style.left = `${Math.max(0, left)}px`;
      readout.style.top = `${below ? y - box.top + 18 : y - box.top - size.height - 12}px`;
    };
    const leave = () => {
      figure.querySelector(".here")?.classList.remove("here");
      cursor.hidden = true;
      readout.textContent = "";
    };
    const point = (at, mark, x, y) => {
      leave();
      mark?.classList.add("here");
      cursor.hidden = false;
      cursor.style.setProperty("--a", at);
      readout.textContent = `${at.toFixed(3)} s\u2003${values(at)}${mark ? `\n${mark.dataset.detail}` : ""}`;
      beside(x, y);
    };
    const go = (number) => {
      if (!marks.length) return;
      here = (number + marks.length) % marks.length;
      const at = start(marks[here]);
      if (at < from || at > from + span) show(at - span / 2, span);
      marks[here].scrollIntoView({ block: "nearest" });
      const box = marks[here].getBoundingClientRect();
      point(at, marks[here], Math.max(box.left, 0), box.bottom - 12);
    };
    const time = (event) => {
      const box = behind.getBoundingClientRect();
      return Math.min(length, Math.max(0, from + ((event.clientX - box.left) / box.width) * span));
    };

    const acts = {
      in: () => zoom(0.5),
      out: () => zoom(2),
      whole: () => show(0, length),
      storm: () => {
        const [begin, end] = figure.dataset.storm.split(" ").map(Number);
        show(begin - 0.05 * (end - begin), 1.1 * (end - begin));
      },
    };
    const keys = {
      "+": acts.in, "=": acts.in, "-": acts.out, "0": acts.whole,
      ArrowRight: () => go(here + 1), ArrowLeft: () => go(here - 1),
      Escape: leave, Home: () => go(0), End: () => go(marks.length - 1),
      PageUp: () => show(from - span / 2, span), PageDown: () => show(from + span / 2, span),
    };
    figure.querySelector(".tools").hidden = false;
    for (const button of figure.querySelectorAll("[data-do]")) {
      button.addEventListener("click", acts[button.dataset.do]);
    }
    lanes.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });
    lanes.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) zoom(1.0015 ** event.deltaY, time(event));
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) show(from + (event.deltaX / lanes.clientWidth) * span, span);
      else return;
      event.preventDefault();
    }, { passive: false });
    let pressed = null;
    lanes.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType !== "touch") pressed = time(event);
    });
    addEventListener("pointermove", (event) => {
      if (pressed === null) return;
      const at = time(event);
      brush.hidden = Math.abs(at - pressed) < span / 200;
      brush.style.setProperty("--a", Math.min(at, pressed));
      brush.style.setProperty("--b", Math.max(at, pressed));
    });
    addEventListener("pointerup", (event) => {
      if (pressed === null) return;
      const at = time(event);
      if (!brush.hidden) show(Math.min(at, pressed), Math.abs(at - pressed));
      brush.hidden = true;
      pressed = null;
    });
    lanes.addEventListener("dblclick", acts.whole);
    const pointing = (event) => {
      const mark = event.target.closest("[data-detail]");
      here = mark ? marks.indexOf(mark) : here;
      if (!mark && event.target.closest(".title, .note, .name")) return leave();
      point(mark?.classList.contains("dot") ? start(mark) : time(event), mark, event.clientX, event.clientY);
    };
    lanes.addEventListener("pointermove", pointing);
    lanes.addEventListener("click", pointing);
    lanes.addEventListener("pointerleave", leave);
    lanes.addEventListener("blur", leave);
    addEventListener("beforeprint", acts.whole);
    rule();
    range.textContent = `0.00 to ${length.toFixed(2)} s`;
  };

  addEventListener("DOMContentLoaded", () => {
    themes();
    copying();
    finding();
    document.querySelectorAll(".with-script").forEach((each) => (each.hidden = false));
    for (const figure of document.querySelectorAll("figure.axis")) {
      const story = figure.closest("details");
      if (story.open) axis(figure);
      else story.addEventListener("toggle", () => axis(figure), { once: true });
    }
    addEventListener("hashchange", follow);
    follow();
    addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  });
})();
