// Registers our elements. Every page is complete without them; they only save a round trip.
import { CellDrawer } from "./elements/cell-drawer.js";
import { CopyButton } from "./elements/copy-button.js";
import { KeyHints } from "./elements/key-hints.js";
import { RelativeTime } from "./elements/relative-time.js";
import { ThemeSwitch } from "./elements/theme-switch.js";

customElements.define("cell-drawer", CellDrawer);
customElements.define("copy-button", CopyButton);
customElements.define("key-hints", KeyHints);
customElements.define("relative-time", RelativeTime);
customElements.define("theme-switch", ThemeSwitch);

// An error belongs on a page of its own, not inside the part that was asked for.
document.addEventListener("htmx:response:error", (event) => {
  const { action, method } = event.detail.ctx.request;
  if (method === "GET") location.assign(action);
});
