// The contrast of every text that is seen with what lies behind it, the least first: [ratio, text, colour, ground].
(() => {
  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((each) => each / 255).map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ratio = (one, other) => {
    const [dark, light] = [luminance(channels(one)), luminance(channels(other))].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const solid = (colour) => colour.startsWith("rgb") && (channels(colour)[3] ?? 1) === 1;
  const ground = (element) => {
    const below = element.parentElement.tagName === "a" && element.parentElement.querySelector("rect");
    if (below && solid(getComputedStyle(below).fill)) return getComputedStyle(below).fill;
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (solid(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ contentVisibilityAuto: true }) || element.closest(".unseen, script, title, option")) continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    found.push([ratio(colour, ground(element)), text.slice(0, 40), colour, ground(element)]);
  }
  return found.sort((one, other) => one[0] - other[0]);
})()
