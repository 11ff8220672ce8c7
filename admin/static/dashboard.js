// Charts from the figures that stand in the page. The policy forbids styles in markup, so tips are
// drawn on the canvas (`richText`), and colours are read from the style sheet.

const yuan = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat("en");
const stands = (query) => window.matchMedia(query).matches;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function money(fen) {
  return `${fen < 0 ? "-" : ""}¥${yuan.format(Math.abs(fen) / 100)}`;
}

function onAxis(isMoney) {
  return (value) => (isMoney ? `¥${whole.format(Math.round(value / 100))}` : whole.format(value));
}

function seriesOf(one, isAcross) {
  const tone = colour(`--chart-${one.tone}`);
  const isLine = one.look === "line";
  const shared = { name: one.name, data: one.values, itemStyle: { color: tone }, animation: false };
  if (isLine) {
    return { ...shared, type: "line", lineStyle: { color: tone, width: 2 }, symbolSize: 5, showSymbol: one.values.length <= 31 };
  }
  const radius = isAcross ? [0, 3, 3, 0] : [3, 3, 0, 0];
  const bar = { ...shared, type: "bar", barMaxWidth: 22 };
  if (one.look === "stack") return { ...bar, stack: "all" };
  return { ...bar, itemStyle: { color: tone, borderRadius: radius } };
}

function optionOf(chart) {
  const ink = colour("--ink-2");
  const line = colour("--line");
  const text = { color: ink, fontFamily: getComputedStyle(document.body).fontFamily };
  const isAcross = chart.byStore;
  const said = isAcross ? [...chart.heads] : chart.heads.map((day) => day.slice(5).replace("-", "/"));
  const names = {
    type: "category",
    data: said,
    inverse: isAcross,
    axisLabel: { ...text, hideOverlap: true, width: isAcross ? 120 : undefined, overflow: isAcross ? "truncate" : undefined },
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
  };
  const values = {
    type: "value",
    minInterval: chart.isMoney ? 100 : 1,
    axisLabel: { ...text, formatter: onAxis(chart.isMoney), hideOverlap: true },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    animation: !stands("(prefers-reduced-motion: reduce)"),
    animationDuration: 250,
    textStyle: text,
    grid: { left: 12, right: 18, top: 36, bottom: 8, containLabel: true },
    legend: { type: "scroll", top: 0, left: 8, right: 8, itemWidth: 14, itemHeight: 8, textStyle: text, show: chart.series.length > 1 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("--raised"),
      borderColor: colour("--line-strong"),
      textStyle: { ...text, color: colour("--ink"), fontSize: 12 },
      axisPointer: { type: chart.series.some((one) => one.look === "line") ? "line" : "shadow" },
      valueFormatter: chart.isMoney ? money : (value) => whole.format(value),
    },
    xAxis: isAcross ? values : names,
    yAxis: isAcross ? names : values,
    series: chart.series.map((one) => seriesOf(one, isAcross)),
  };
}

function drawAll() {
  const drawings = [...document.querySelectorAll("[data-chart]")].map((place) => ({
    data: JSON.parse(place.dataset.chart),
    drawn: window.echarts.init(place, null, { renderer: "canvas" }),
  }));
  const draw = () => drawings.forEach(({ data, drawn }) => drawn.setOption(optionOf(data), true));
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  window.addEventListener("resize", () => drawings.forEach(({ drawn }) => drawn.resize()));
}

if (window.echarts) drawAll();

document.querySelectorAll("form[data-submit-on-change]").forEach((form) => {
  form.querySelectorAll("[data-submit]").forEach((button) => { button.hidden = true; });
  form.addEventListener("change", () => form.submit());
});
