"""How a scorecard is made from outcomes: limits of bins, points in them, how good they are, the file and its report."""
