// Shows the requests that came, newest first, and sets how the receiver answers. Text goes in as text, never as
// markup: what somebody sent is shown, not run.

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat('en');
/** Requests on the page; the receiver keeps as many. */
const mostShown = 200;

let newest = 0;
let reading = false;
let again = false;
let noticeTimer;

function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function notice(text) {
  $('notice').textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($('notice').textContent = ''), 6000);
}

async function api(method, path, body) {
  const response = await fetch(path, { method, ...(body && { body: JSON.stringify(body) }) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Reads what is new. What happens meanwhile is read right after. */
async function read() {
  if (reading) return void (again = true);
  reading = true;
  try {
    do {
      again = false;
      show(await api('GET', `/exchanges?after=${newest}`));
    } while (again);
  } catch (error) {
    notice(error.message);
  } finally {
    reading = false;
  }
}

function show({ receiver, conduct, counts, exchanges }) {
  if (counts.received < newest) {
    // Another receiver has taken this one's place: it counts from 1.
    newest = 0;
    $('list').replaceChildren();
    again = true;
    return;
  }
  $('where').replaceChildren(
    'Send webhooks to ',
    el('code', {}, receiver.url),
    receiver.secrets === 0
      ? '. There is no secret to check signatures with.'
      : receiver.isStrict
        ? '. A request without a valid signature is answered 401.'
        : '. Signatures are checked; a wrong one does not change the answer.',
  );
  for (const [name, value] of Object.entries(counts)) $(name).textContent = count.format(value);
  showConduct(conduct);
  for (const one of exchanges.toReversed()) {
    newest = Math.max(newest, one.number);
    $('list').prepend(itemOf(one));
  }
  while ($('list').children.length > mostShown) $('list').lastElementChild.remove();
  showEnds();
}

function showEnds() {
  const isEmpty = $('list').children.length === 0;
  $('none').hidden = !isEmpty;
  $('clear').hidden = isEmpty;
}

function showConduct({ does, status, byMs, times }) {
  const what = {
    answer: `Answers ${status}${byMs > 0 ? `, ${count.format(byMs)} ms late` : ''}`,
    hang: 'Hangs: it never answers',
    'lose-answer': 'Acts, and cuts the connection instead of answering',
    reset: 'Cuts the connection and does nothing',
  }[does];
  $('conduct-now').textContent =
    times === undefined
      ? what
      : `${what}, for ${count.format(times)} more ${times === 1 ? 'request' : 'requests'}`;
  for (const button of document.querySelectorAll('[data-conduct]')) {
    const offered = { does: 'answer', status: 204, byMs: 0, ...JSON.parse(button.dataset.conduct) };
    const isOn =
      offered.does === does &&
      (does !== 'answer' || (offered.status === status && offered.byMs === byMs)) &&
      (offered.times === undefined) === (times === undefined);
    button.setAttribute('aria-pressed', String(isOn));
  }
}

const marks = {
  verified: ['good', 'verified'],
  wrong: ['bad', 'not verified'],
  unchecked: ['wait', 'signed, not checked'],
  unsigned: ['dim', 'not signed'],
};

function itemOf({ number, at, method, path, headers, body, signature, id, idFrom, repeats, answer }) {
  const [colour, mark] = marks[signature.kind];
  const time = el('time', { datetime: at }, new Date(at).toLocaleTimeString('en-GB', { hour12: false }));
  const facts = headers.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]);
  return el(
    'li',
    { value: number },
    el(
      'details',
      {},
      el(
        'summary',
        {},
        el('span', { class: 'dim' }, `#${number}`),
        time,
        el('span', { class: 'what' }, `${method} ${path}`),
        el('span', { class: colour }, mark),
        repeats === undefined ? null : el('span', { class: 'wait' }, `repeats #${repeats}`),
        el('span', { class: 'dim' }, answer),
      ),
      el(
        'div',
        { class: 'inside' },
        el('p', { class: colour }, signature.message),
        id === undefined ? null : el('p', { class: 'dim' }, `Recognised by ${idFrom}: `, el('code', {}, id)),
        el('dl', { class: 'facts' }, ...facts),
        el(
          'p',
          { class: 'dim' },
          `${count.format(body.sizeBytes)} bytes, SHA-256 `,
          el('span', { class: 'id' }, body.sha256),
          body.isCut ? '; the rest is not shown' : null,
        ),
        body.kind === 'empty'
          ? null
          : el(
              'pre',
              { tabindex: '0', class: body.kind, 'aria-label': `Body of request ${number}` },
              body.text,
            ),
      ),
    ),
  );
}

async function setConduct(conduct) {
  try {
    showConduct(await api('PUT', '/conduct', conduct));
  } catch (error) {
    notice(error.message);
  }
}

for (const button of document.querySelectorAll('[data-conduct]'))
  button.addEventListener('click', () => void setConduct(JSON.parse(button.dataset.conduct)));
$('slow').addEventListener('submit', (event) => {
  event.preventDefault();
  void setConduct({ byMs: Number($('slow').elements.byMs.value) });
});
$('clear').addEventListener('click', async () => {
  try {
    await api('DELETE', '/exchanges');
    $('list').replaceChildren();
    showEnds();
  } catch (error) {
    notice(error.message);
  }
});

const source = new EventSource('/changes');
const live = (state, text) => {
  $('live').className = state;
  $('live').textContent = text;
};
source.addEventListener('open', () => live('on', 'live'));
source.addEventListener('error', () => live('off', 'not connected, trying again'));
source.addEventListener('message', () => void read());
