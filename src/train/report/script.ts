// What moves in a report: values under the pointer, and the slider over reconstructions. The page is whole without it.

export const script = `
const numbers = (text) => text.split(' ').map(Number);
const shown = (x) => { const size = Math.abs(x); return size >= 1e4 && size < 1e7 ? x.toFixed(0) : x.toPrecision(4); };
const charts = [...document.querySelectorAll('.chart')].map((figure) => {
  const svg = figure.querySelector('svg');
  const outputs = [...figure.querySelectorAll('output')];
  return {
    svg, outputs, ends: outputs.map((o) => o.textContent), cursor: figure.querySelector('.cursor'), plot: numbers(svg.dataset.plot),
    curves: [...figure.querySelectorAll('.mean')].map((path) => ({ steps: numbers(path.dataset.steps), values: numbers(path.dataset.values) })),
  };
});
const nearest = (steps, step) => steps.reduce((best, s, k) => Math.abs(s - step) < Math.abs(steps[best] - step) ? k : best, 0);
const point = (step) => {
  for (const { outputs, cursor, plot: [first, last, left, right], curves } of charts) {
    curves.forEach(({ steps, values }, i) => { outputs[i].textContent = shown(values[nearest(steps, step)]); });
    cursor.setAttribute('transform', 'translate(' + (left + ((step - first) / (last - first)) * (right - left)) + ' 0)');
    cursor.classList.add('on');
    cursor.querySelector('text').textContent = step.toLocaleString('en-US');
  }
};
const leave = () => {
  for (const { outputs, ends, cursor } of charts) {
    outputs.forEach((output, i) => { output.textContent = ends[i]; });
    cursor.classList.remove('on');
  }
};
for (const { svg, plot: [first, last, left, right] } of charts) {
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    point(Math.round(first + ((Math.min(right, Math.max(left, at)) - left) / (right - left)) * (last - first)));
  });
  svg.addEventListener('pointerleave', leave);
}
const sheets = document.querySelector('.sheets');
if (sheets) {
  const figures = [...sheets.querySelectorAll('figure')];
  const slider = Object.assign(document.createElement('input'), { type: 'range', min: 0, max: figures.length - 1 });
  slider.setAttribute('aria-label', 'step of the reconstructions');
  const strip = Object.assign(document.createElement('div'), { className: 'strip' });
  const buttons = figures.map((figure, i) => {
    const button = document.createElement('button');
    const small = document.createElement('i');
    small.style.backgroundImage = 'url("' + figure.querySelector('img').src + '")';
    button.append(small, figure.dataset.step);
    button.addEventListener('click', () => show(i));
    return button;
  });
  const show = (i) => {
    slider.value = i;
    [figures, buttons].forEach((list) => list.forEach((one, k) => one.classList.toggle('on', k === i)));
    strip.scrollLeft = buttons[i].offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + 44;
  };
  slider.addEventListener('input', () => show(Number(slider.value)));
  strip.append(...buttons);
  if (figures.length > 1) sheets.append(slider, strip);
  sheets.classList.add('ready');
  show(figures.length - 1);
}
`;
