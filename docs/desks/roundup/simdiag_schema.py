# What a Roundup tracker needs for simdiag's tickets. These lines stand in the tracker's schema.py,
# after `issue = IssueClass(...)` and before the security settings.
for _name in (
    "key", "category", "urgency", "complexity", "card", "cause", "device", "happened", "place",
    "wish", "seller", "order", "plan", "due", "bundle", "fingerprint",
):  # fmt: skip
    issue.properties["simdiag_" + _name] = String()
# The guard: a second issue with a known key is refused (409); simdiag_key.py gives others one.
issue.setkey("simdiag_key")
