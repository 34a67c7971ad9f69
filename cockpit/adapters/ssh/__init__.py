"""Steps on other machines over SSH. A dropped link never ends a step: it goes on there and is collected later."""
