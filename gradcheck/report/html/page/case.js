// One case, from what is most urgent to what is only interesting.

function caseOpened(data) {
  const record = stored(data);
  HeatMap.shown.clear();
  const parts = [heading(record), account(record)];
  parts.push(...record.diagnostics.map((text) => framed("What is wrong with the text", h("pre", {}, text))));
  parts.push(expression(record.lines));
  if (record.variables.length) parts.push(variables(record.variables));
  if (record.program) parts.push(program(record.program));
  if (record.diagnosis?.referee.length) {
    const head = ["variable", "at", "derivative", "give or take", "ruling"];
    parts.push(
      section("The referee", table("What differences in higher precision say", head, record.diagnosis.referee)),
    );
  }
  if (record.evidence.length) {
    const head = ["check", "side", "outcome", "found"];
    const rows = record.evidence.map(([check, side, outcome, found]) => [
      check,
      side,
      outcome,
      h("span", { class: "sentence" }, prose(found)),
    ]);
    parts.push(section("Evidence", table("Checks that need no second opinion", head, rows)));
  }
  return parts.filter(Boolean);
}

function heading(record) {
  const facts = [`${record.file}:${record.line}`, record.dtype, record.seconds, ...record.tags.map((tag) => `#${tag}`)];
  return h(
    "header",
    {},
    verdict(record.word, record.status),
    h("a", { class: "back", href: "#cases" }, "All cases"),
    h("h2", { tabindex: "-1" }, record.id),
    h(
      "p",
      { class: "facts quiet" },
      facts.filter(Boolean).map((fact) => h("span", {}, fact)),
    ),
    record.description ? h("p", {}, prose(record.description)) : null,
    record.again ? h("p", { class: "again quiet" }, "Run again ", h("code", {}, record.again)) : null,
  );
}

/** Who is wrong, where the two sides differ, and what is to blame. */
function account({ status, diagnosis, differ, notes, failures }) {
  const others = (diagnosis?.accused ?? []).slice(1).map(({ sentence }) => sentence);
  const said = [...differ, ...others, diagnosis?.note, ...notes].filter(Boolean);
  const alone = (diagnosis?.accused ?? []).filter((each) => each.alone);
  return h(
    "div",
    { class: `account ${KINDS[status]}` },
    diagnosis ? h("p", { class: "finding" }, prose(diagnosis.sentence)) : null,
    failures.map(failure),
    said.map((sentence) => h("p", {}, prose(sentence))),
    alone.map(({ operation, line, alone }) =>
      folded(h("span", {}, h("code", {}, operation), line ? ` in line ${line}` : "", " by itself"), false, () =>
        compared(operation, alone),
      ),
    ),
  );
}

function failure([engine, kind, message, details]) {
  const parts = [h("p", { class: "finding" }, `${engine}, ${kind}: `, prose(message))];
  if (details)
    parts.push(h("p", {}, `The last lines of ${engine}`), framed(`The last lines of ${engine}`, h("pre", {}, details)));
  return parts;
}
