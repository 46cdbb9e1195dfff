/**
 * <key-hints>: makes elements with data-key="/" or data-key="g m" answer to the keyboard.
 * A field gets the focus, anything else is pressed. Silent while somebody types.
 */
const BETWEEN_KEYS_MS = 900;
const FIELDS = "input, textarea, select, [contenteditable]";

export class KeyHints extends HTMLElement {
  connectedCallback() {
    this.before = "";
    this.listener = (event) => this.press(event);
    document.addEventListener("keydown", this.listener);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  press(event) {
    const typing = event.target instanceof Element && event.target.matches(FIELDS);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1) return;
    const keys = this.before ? [`${this.before} ${event.key}`, event.key] : [event.key];
    const found = keys.map(target).find(Boolean);
    this.remember(found ? "" : event.key);
    if (!found) return;
    event.preventDefault();
    if (found.matches(FIELDS)) found.select();
    else found.click();
  }

  remember(key) {
    this.before = key;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.before = ""), BETWEEN_KEYS_MS);
  }
}

function target(keys) {
  return document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
}
