/**
 * <cell-drawer> around a table. A press on a cell that leads to its whole content shows that in a
 * dialog; without a script the link itself leads there.
 */
export class CellDrawer extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const link = event.target.closest("a.cell-open");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.show(link);
    });
  }

  async show(link) {
    const picture = link.querySelector("img");
    this.open(picture ? this.picture(picture) : await this.text(link.href));
  }

  picture(small) {
    const large = document.createElement("img");
    large.src = small.src;
    large.alt = small.alt;
    return large;
  }

  async text(url) {
    const shown = document.createElement("pre");
    const answer = await fetch(url);
    const value = answer.ok ? await answer.json() : `The hub answered ${answer.status}.`;
    shown.textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return shown;
  }

  open(content) {
    const dialog = document.createElement("dialog");
    const close = document.createElement("button");
    dialog.className = "drawer";
    close.className = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.append(content, close);
    this.append(dialog);
    dialog.showModal();
  }
}
