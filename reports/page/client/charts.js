// Adds to the charts of a page: the values at the pointer or at the arrow keys, and buttons that copy a chart.
// It runs in the reader's browser, in one piece, and the page is whole without it.

(() => {
  const svgNames = 'http://www.w3.org/2000/svg';

  const digits = (value) =>
    Math.abs(value) >= 1000
      ? Math.round(value).toLocaleString('en-US')
      : String(Number(value.toPrecision(3)));
  const durations = [
    [0.9995, 0.001, 'µs'],
    [999.5, 1, 'ms'],
    [120e3, 1000, 's'],
    [7200e3, 60e3, 'min'],
    [Infinity, 3600e3, 'h'],
  ];
  const say = (said, value) => {
    if (said === 'duration') {
      const [, size, unit] = durations.find(([below]) => Math.abs(value) < below);
      return digits(value / size) + ' ' + unit;
    }
    if (said === 'share') {
      if (value <= 1) return 'fastest';
      return Number((100 - 100 / value).toPrecision(value < 100 ? 3 : 5)) + ' % took at most';
    }
    return ((said.before ?? '') + digits(value * (said.times ?? 1)) + ' ' + said.unit).trim();
  };

  const element = (name, { text, ...attributes } = {}, parts = []) => {
    const one = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    if (text !== undefined) one.textContent = text;
    one.append(...parts);
    return one;
  };
  const drawn = (name, attributes) => {
    const one = document.createElementNS(svgNames, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    return one;
  };

  // An axis stands on its drawing as `log`, where its values begin and end, and where that is in the drawing.
  const axisOf = (svg, name) => {
    const [kind, ...numbers] = svg.getAttribute(name).split(' ');
    const [low, high, from, to] = numbers.map(Number);
    const on = kind === 'log' ? Math.log : Number;
    return {
      from,
      to,
      place: (value) => from + ((on(value) - on(low)) / (on(high) - on(low))) * (to - from),
    };
  };

  const box = document.body.appendChild(element('div', { id: 'values' }));
  box.hidden = true;

  // A line without a value right there tells that of a neighbour this near, in the drawing's own pixels.
  const near = 6;
  const readingAt = (data, x, at) =>
    data.lines.flatMap(({ label, color, on, values }) => {
      const away = data.places[on].map((value) => Math.abs(x.place(value) - x.place(at)));
      const best = away.indexOf(Math.min(...away));
      const place = x.place(data.places[on][best]);
      return away[best] > near ? [] : [{ label, color, value: values[best], x: place }];
    });

  const follow = (chart, data) => {
    const all = [...new Set(data.places.flat())].sort((a, b) => a - b);
    let shown = -1;
    const current = () =>
      [...chart.querySelectorAll('svg[data-x]')].find((svg) => svg.getClientRects().length);
    const hide = () => {
      shown = -1;
      box.hidden = true;
      box.removeAttribute('role');
      chart.querySelector('.pointer')?.remove();
    };
    const show = (svg, index, pointer) => {
      const [x, y] = [axisOf(svg, 'data-x'), axisOf(svg, 'data-y')];
      const lines = readingAt(data, x, all[index]);
      chart.querySelector('.pointer')?.remove();
      const at = x.place(all[index]);
      const group = svg.appendChild(drawn('g', { class: 'pointer', 'aria-hidden': 'true' }));
      group.append(drawn('line', { x1: at, x2: at, y1: y.from, y2: y.to }));
      for (const line of lines)
        group.append(
          drawn('circle', { cx: line.x, cy: y.place(line.value), r: 4, style: 'fill:' + line.color }),
        );
      const rows = lines.map(({ label, color, value }) =>
        element('tr', {}, [
          element('th', { scope: 'row' }, [element('i', { style: 'background:' + color }), label]),
          element('td', { text: say(data.y, value) }),
        ]),
      );
      box.replaceChildren(element('b', { text: say(data.x, all[index]) }), element('table', {}, rows));
      box.hidden = false;
      shown = index;
      const { left, top, width } = svg.getBoundingClientRect();
      const { clientX = left + (at * width) / svg.viewBox.baseVal.width, clientY = top } = pointer ?? {};
      const beside =
        clientX + 16 + box.offsetWidth < innerWidth ? clientX + 16 : clientX - 16 - box.offsetWidth;
      box.style.left = Math.max(4, beside) + 'px';
      box.style.top = Math.max(4, Math.min(clientY + 12, innerHeight - box.offsetHeight - 8)) + 'px';
    };
    chart.addEventListener('pointermove', (event) => {
      const svg = current();
      if (!svg) return;
      const { left, width } = svg.getBoundingClientRect();
      const at = ((event.clientX - left) * svg.viewBox.baseVal.width) / width;
      const x = axisOf(svg, 'data-x');
      if (at < x.from - near || at > x.to + near) return hide();
      const away = all.map((value) => Math.abs(x.place(value) - at));
      show(svg, away.indexOf(Math.min(...away)), event);
    });
    chart.addEventListener('pointerleave', hide);
    chart.addEventListener('blur', hide);
    chart.addEventListener('keydown', (event) => {
      const svg = current();
      const last = all.length - 1;
      const to = { ArrowLeft: shown < 0 ? last : shown - 1, ArrowRight: shown + 1, Home: 0, End: last }[
        event.key
      ];
      if (event.key === 'Escape') hide();
      if (!svg || to === undefined) return;
      event.preventDefault();
      // What keys ask for is read out; at the pointer it would never end.
      box.setAttribute('role', 'status');
      show(svg, Math.max(0, Math.min(last, to)));
    });
  };

  const looks = ['fill', 'stroke', 'stroke-opacity', 'font-size', 'font-weight'];
  const plain = { fill: 'rgb(0, 0, 0)', stroke: 'none', 'stroke-opacity': '1', 'font-weight': '400' };
  // A copy of a drawing that needs no style of the page.
  const inlined = (svg) => {
    const copy = svg.cloneNode(true);
    const copies = copy.querySelectorAll('*');
    for (const [i, one] of svg.querySelectorAll('*').entries()) {
      const style = getComputedStyle(one);
      for (const name of looks)
        if (style[name] !== plain[name] && (one.localName === 'text' || !name.startsWith('font')))
          copies[i].setAttribute(name, style[name]);
      copies[i].removeAttribute('class');
      copies[i].removeAttribute('style');
    }
    for (const one of copy.querySelectorAll('title, desc, [aria-hidden]')) one.remove();
    return copy;
  };

  const linesOf = (words, width, measure) => {
    const lines = [''];
    for (const word of words.split(' ')) {
      const longer = (lines.at(-1) + ' ' + word).trim();
      if (measure(longer) <= width || lines.at(-1) === '') lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  };

  const margin = 20;
  // The chart with its heading, its legend and the name of the page, as one drawing.
  const drawingOf = (chart, data) => {
    const entries = [...chart.closest('figure').querySelectorAll('.legend li')].concat(
      ...document.querySelectorAll('.legend li'),
    );
    const source = chart.querySelector('svg.wide') ?? chart.querySelector('svg');
    const { width, height } = source.viewBox.baseVal;
    const body = getComputedStyle(document.body);
    const pen = document.createElement('canvas').getContext('2d');
    const wide = (font) => (text) => {
      pen.font = font + ' ' + body.fontFamily;
      return pen.measureText(text).width;
    };
    const whole = drawn('svg', {
      xmlns: svgNames,
      width: width + 2 * margin,
      'font-family': body.fontFamily,
    });
    const write = (text, x, y, size, weight) => {
      const one = drawn('text', { x, y, fill: body.color, 'font-size': size, 'font-weight': weight });
      one.textContent = text;
      whole.append(one);
    };
    whole.append(drawn('rect', { width: '100%', height: '100%', fill: body.backgroundColor }));
    let y = margin;
    for (const line of linesOf(chart.getAttribute('aria-label'), width, wide('600 15px')))
      write(line, margin, (y += 20) - 6, 15, 600);
    let x = margin;
    y += 10;
    for (const { label } of data?.lines ?? []) {
      const entry = entries.find((one) => one.textContent.trim() === label);
      const needs = 42 + wide('12px')(label);
      if (x > margin && x + needs > width + margin) [x, y] = [margin, y + 18];
      if (entry) {
        const key = drawn('g', { transform: `translate(${x},${y + 4})` });
        key.append(...inlined(entry.querySelector('svg')).childNodes);
        whole.append(key);
      }
      write(label, x + 42, y + 8, 12, 400);
      x += needs + 18;
    }
    y += data ? 22 : 0;
    const group = drawn('g', { transform: `translate(${margin},${y})` });
    group.append(...inlined(source).childNodes);
    whole.append(group);
    y += height + 22;
    write(document.title, margin, y, 11, 400);
    y += margin - 6;
    whole.setAttribute('height', y);
    whole.setAttribute('viewBox', `0 0 ${width + 2 * margin} ${y}`);
    return whole;
  };

  const pngOf = async (svg) => {
    const picture = new Image();
    picture.src =
      'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(new XMLSerializer().serializeToString(svg));
    await picture.decode();
    const times = picture.width < 1000 ? 2 : 1;
    const canvas = element('canvas', { width: picture.width * times, height: picture.height * times });
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  };

  const saved = (blob, name) => {
    const link = element('a', { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  // To the clipboard, or to a file where the browser does not let the page have it.
  const tools = (what, name, drawing) => {
    const button = (kind, copy) => {
      const words = `Copy ${what} as ${kind}`;
      const one = element('button', { type: 'button', text: words });
      one.addEventListener('click', async () => {
        one.textContent = await copy(drawing()).catch((error) => `Not copied: ${error.message}`);
        setTimeout(() => (one.textContent = words), 2500);
      });
      return one;
    };
    return element('p', { class: 'chart-tools' }, [
      button('SVG', async (svg) => {
        const text = new XMLSerializer().serializeToString(svg);
        try {
          await navigator.clipboard.writeText(text);
          return 'Copied';
        } catch {
          saved(new Blob([text], { type: 'image/svg+xml' }), name + '.svg');
          return 'Saved as a file';
        }
      }),
      button('PNG', async (svg) => {
        const blob = await pngOf(svg);
        try {
          await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
          return 'Copied';
        } catch {
          saved(blob, name + '.png');
          return 'Saved as a file';
        }
      }),
    ]);
  };

  for (const figure of document.querySelectorAll('figure')) {
    const chart = figure.querySelector('.chart');
    if (!chart) continue;
    const json = figure.querySelector('.chart-values');
    const data = json && JSON.parse(json.textContent);
    if (data) follow(chart, data);
    chart.after(tools('chart', figure.id || 'chart', () => drawingOf(chart, data)));
  }
  for (const hint of document.querySelectorAll('.chart-hint')) hint.hidden = false;
  const card = document.getElementById('card');
  if (card)
    document
      .querySelector('.chart-hint')
      ?.after(tools('a summary card', 'card', () => card.content.querySelector('svg').cloneNode(true)));
})();
