"""What lvsc says, as text for people and as JSON for programs."""

#: Of every JSON document that lvsc prints: raised by one whenever a program that reads them would have to change.
FORMAT_VERSION = 1
