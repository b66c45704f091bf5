// The slider over the risk-coverage curve.
{
  const slider = byId("evidence");
  const curve = data.curve;
  const z = 1.959964;
  const wilson = (hits, n) => {
    const rate = hits / n, shrunk = 1 + z * z / n, middle = (rate + z * z / (2 * n)) / shrunk;
    const half = z * Math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrunk;
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  };
  const signed = (value) => (value > 0 ? "+" : value < 0 ? "−" : "±") + Math.abs(value).toLocaleString("en");
  const show = () => {
    const [threshold, coverage, risk] = curve.points[Number(slider.value)];
    const answered = Math.round(coverage * curve.n), wrong = Math.round(risk * answered);
    const [low, high] = wilson(wrong, answered);
    byId("threshold-at").textContent = threshold.toFixed(2);
    slider.setAttribute("aria-valuetext", threshold.toFixed(2));
    const didAnswer = Math.round(curve.coverage * curve.n), didWrong = Math.round((curve.risk || 0) * didAnswer);
    byId("threshold-says").textContent =
      `${answered.toLocaleString("en")} of ${curve.n.toLocaleString("en")} tickets would be answered at once (${percent(coverage)}), ` +
      `${(answered - wrong).toLocaleString("en")} rightly and ${wrong.toLocaleString("en")} wrongly (${percent(risk)} of those answered, ` +
      `95 %: ${(100 * low).toFixed(1)} to ${percent(high)}). ` +
      `Against what it did: ${signed(answered - didAnswer)} answered, ${signed(wrong - didWrong)} wrongly.`;
    const [left, top, width, height] = curve.box, mark = byId("threshold-mark");
    mark.setAttribute("cx", left + width * coverage);
    mark.setAttribute("cy", top + height * (1 - risk / curve.most));
    mark.removeAttribute("hidden");
  };
  if (slider) {
    byId("slider").hidden = false;
    slider.addEventListener("input", show);
    show();
  }
}
