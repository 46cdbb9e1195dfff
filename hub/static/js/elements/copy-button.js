/**
 * <copy-button text="…"> or <copy-button for="id-of-an-element">, around a hidden <button>.
 * Shows the button (which is useless without a script) and copies on a press.
 */
const SHOWN_FOR_MS = 1600;

export class CopyButton extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    if (!button || !navigator.clipboard) return;
    this.label = button.getAttribute("aria-label");
    button.hidden = false;
    button.addEventListener("click", () => this.copy(button));
  }

  get text() {
    const source = document.getElementById(this.getAttribute("for"));
    return source ? source.textContent.trim() : this.getAttribute("text");
  }

  async copy(button) {
    await navigator.clipboard.writeText(this.text);
    this.toggleAttribute("data-copied", true);
    button.setAttribute("aria-label", "Copied");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.removeAttribute("data-copied");
      button.setAttribute("aria-label", this.label);
    }, SHOWN_FOR_MS);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }
}
