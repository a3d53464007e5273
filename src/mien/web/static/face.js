// A small drawn face that shows action units, 0 to 5 by unit and side ("12L", the person's own left).
import { make } from "./make.js";

export function faceOf(units, size = 44) {
  const of = (unit, side) => (units[`${unit}${side}`] ?? units[unit] ?? 0) / 5;
  const most = (unit) => Math.max(of(unit, "L"), of(unit, "R"));
  const parts = [];
  for (const [side, x] of [["R", -1], ["L", 1]]) {
    const inner = -13 - 4.5 * of(1, side) + 5 * of(4, side);
    const outer = -13 - 4.5 * of(2, side) + 1.5 * of(4, side);
    const near = 4.5 - 1.5 * of(4, side);
    parts.push(make("path", {
      d: `M${x * near} ${inner}Q${x * 10} ${Math.min(inner, outer) - 2.5 + 2 * of(4, side)} ${x * 15} ${outer}`,
    }));
    const open = (3.1 + 2.2 * of(5, side) - 1.6 * of(7, side) - 1 * of(6, side)) * (1 - of(43, side));
    if (open < 0.9) parts.push(make("path", { d: `M${x * 5.5} -5q${x * 4} 3 ${x * 8} 0` }));
    else parts.push(make("ellipse", { cx: x * 9.5, cy: -5, rx: 2.7, ry: open, class: "full" }));
    if (of(6, side) > 0.3) parts.push(make("path", { d: `M${x * 6} 1.5q${x * 4} -2.5 ${x * 8.5} -0.5`, class: "thin" }));
    if (of(9, side) > 0.3) parts.push(make("path", { d: `M${x * 2.5} -1l${x * 2.5} -3M${x * 3.5} 2l${x * 2.5} -2`, class: "thin" }));
  }
  const corner = (side) => [
    10 + 3 * of(12, side) + 3 * of(20, side) + 1.5 * of(14, side) - 5.5 * most(18) - 2.5 * most(22) - 1.5 * of(23, side),
    12.5 - 5 * of(12, side) + 4.5 * of(15, side) - 1.5 * of(14, side) + 0.5 * of(20, side),
  ];
  const [left, right] = [corner("R"), corner("L")];
  const smile = (of(12, "L") + of(12, "R")) / 2;
  const down = (of(15, "L") + of(15, "R")) / 2;
  const apart = 5 * most(25) + 8 * most(26) + 2 * most(16);
  const upper = 12.5 + 5.5 * smile - 4.5 * down - 3.5 * most(10) - 3 * most(17) - 2.5 * most(22);
  const lower = Math.max(upper, 12.5 + 4 * smile - 4 * down - 3 * most(17) + 2.5 * most(18)) + 1.6 * apart;
  parts.push(make("path", {
    d: `M${-left[0]} ${left[1]}Q0 ${upper} ${right[0]} ${right[1]}Q0 ${lower} ${-left[0]} ${left[1]}Z`,
    class: apart > 1 ? "mouth" : "",
  }));
  if (most(24) > 0.4) parts.push(make("path", { d: "M-6 10.5h12M-6 14.5h12", class: "thin" }));
  return make("svg", { viewBox: "-30 -30 60 60", width: size, height: size, class: "face", "aria-hidden": "true" },
    make("circle", { r: 27, class: "head" }), ...parts);
}
