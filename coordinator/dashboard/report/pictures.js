/* What browsers showed when steps failed. */

import { h } from "../page/dom.js";
import * as format from "../page/format.js";
import { nameNode } from "../page/table.js";

const PNG = "data:image/png;base64,";

/** `leftOut` is how many there was no room for. */
export function pictures(list, leftOut) {
  const shown = list.filter(({ data }) => data.startsWith(PNG));
  return [
    h("div", { class: "pictures" }, shown.map(({ number, name, worker, step, data }) => h("figure", { class: "chart-box", key: number },
      h("figcaption", {}, `Worker ${format.count(worker)}, step ${format.count(step)} `, nameNode(name)),
      h("img", { src: data, alt: `What the browser of worker ${worker} showed when step ${step} failed` })))),
    leftOut > 0 ? h("p", { class: "note" }, `${format.count(leftOut)} more are not in this file; the coordinator has them.`) : null,
  ];
}
